import { z } from 'zod'
import type { RateCard } from '../book-row.ts'
import { canonicalProvider } from '../providers.ts'
import { litellmRows } from './litellm.ts'

/**
 * Older releases of LiteLLM's table: what a model cost when that release was current. Dates are
 * the releases', to within a week; a change between two releases is dated by the later one.
 */
export const RELEASES: Readonly<Record<string, string>> = {
  '1.14.4': '2023-12-13',
  '1.53.1': '2024-11-28',
  '1.65.0': '2025-03-30',
  '1.75.0': '2025-08-02',
  '1.80.0': '2025-11-15',
  '1.90.0': '2026-06-27',
  '1.109.1': '2026-11-12'
}

const Snapshot = z.looseObject({
  litellm_version: z.string(),
  model: z.string(),
  provider: z.string(),
  mode: z.string().nullish()
})

export type Observed = { date: string; version: string; cards: Record<string, RateCard> }

/** Snapshots by `provider\nmodel`, oldest first. */
export type PriceHistory = ReadonlyMap<string, readonly Observed[]>

export const historyKey = (provider: string, model: string, region?: string): string =>
  [provider, model, region ?? ''].join('\n')

/** Reads the snapshots, one JSON object a line. */
export const readHistory = (ndjson: string): PriceHistory => {
  const history = new Map<string, Observed[]>()
  for (const line of ndjson.split('\n')) {
    if (line === '') continue
    const { litellm_version: version, model, provider, ...entry } = Snapshot.parse(JSON.parse(line))
    const date = RELEASES[version]
    const [row] = litellmRows({ [model]: { ...entry, litellm_provider: provider } })
    if (date === undefined || row === undefined) continue
    const key = historyKey(canonicalProvider(provider), row.model, row.region)
    const list = history.get(key) ?? []
    if (!list.some((seen) => seen.version === version))
      list.push({ date, version, cards: row.cards })
    history.set(key, list)
  }
  for (const list of history.values()) list.sort((a, b) => a.date.localeCompare(b.date))
  return history
}

/** Whether two cards charge the same for plain input and output. */
export const sameBase = (left: RateCard | undefined, right: RateCard | undefined): boolean =>
  left !== undefined &&
  right !== undefined &&
  left.rates.in === right.rates.in &&
  left.rates.out === right.rates.out
