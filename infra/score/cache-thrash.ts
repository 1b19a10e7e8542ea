import { existsSync } from 'node:fs'
import { readTrace } from '../worlds/mooncake.ts'
import type { ScoreRow } from './page.ts'
import {
  CULPRIT_HEADER,
  scoreCulprits,
  scoreQuietNights,
  scoreTrace,
  QUIET_HEADER
} from './culprit-score.ts'
import { HIT_RATE_HEADER, scoreHitRate } from './hit-rate-score.ts'

/**
 * Operating figures of cache-thrash as Markdown, on worlds with known truth. Constants were tuned
 * on other seeds: hit rates below 10, culprits below 1000, the real hour's deals below 10. Culprits' seeds
 * are of a block that no method was ever looked at on.
 */

export type ScoreSize = {
  tenants: number
  days: number
  incidents: number
  nights: number
  /** Tenant-months with nothing wrong, and tenants on which each change is tried. */
  months: number
  changed: number
}

const TRACE = new URL('../../../shared/data/mooncake/conversation_trace.jsonl.gz', import.meta.url)
const TRACE_SEEDS = 8

/** Sections in order; each comes when it is worked out. */
export async function* scoreCacheThrash(size: ScoreSize): AsyncGenerator<string, ScoreRow> {
  const { tenants, days } = size
  const block = { firstSeed: 12_000, incidents: size.incidents }
  yield '## Culprits and victims in a shared cache'
  const culprits = scoreCulprits(block)
  yield [...CULPRIT_HEADER, ...culprits].join('\n')
  yield '## Two culprits at once'
  yield [...CULPRIT_HEADER, ...scoreCulprits({ ...block, firstSeed: 13_000 }, 2)].join('\n')
  yield '## Nights without a culprit'
  const nights = { firstSeed: 14_000, incidents: size.nights }
  yield [...QUIET_HEADER, ...scoreQuietNights(nights)].join('\n')
  if (existsSync(TRACE)) {
    yield `## A real hour of prefixes (Mooncake) dealt to twenty tenants, ${TRACE_SEEDS} deals × 10 culprits`
    const seeds = Array.from({ length: TRACE_SEEDS }, (_, seed) => 30 + seed)
    yield [...CULPRIT_HEADER, ...scoreTrace(await readTrace(TRACE), seeds)].join('\n')
  }
  let rates: string[] = []
  for (const mood of ['mild', 'noisy'] as const) {
    yield `## Hit rates, ${mood} world: ${tenants} tenants × ${days} days`
    rates = scoreHitRate({ mood, tenants, days, seed: 40 })
    yield [...HIT_RATE_HEADER, ...rates].join('\n')
  }
  return rowOf(rates, culprits)
}

/** The signal's row: the noisy world, and the shift whose culprit is named least often. */
const rowOf = (rates: readonly string[], culprits: readonly string[]): ScoreRow => {
  const cells = (line = ''): string[] => line.split('|').map((cell) => cell.trim())
  const [, , falseFindings = '', collapse = '', drop = ''] = cells(rates[0])
  const shares = culprits.map((line) => Number.parseInt(cells(line)[3] ?? '', 10))
  return {
    detection: `71→60 %: ${drop}`,
    delay: `71→18 %: ${collapse}`,
    falseFindings,
    attribution: `culprit first within 10 min: ${Math.min(...shares)} % or more of each shift`
  }
}
