import type { Columns, Minute } from '../../services/signals/define.ts'
import type { Served } from './prefix-cache.ts'

/** Served calls as the closed minutes that a fold takes, without a database in between. */

const MINUTE_MS = 60_000
const PPM = 1_000_000
const SEPARATOR = '\u001f'

export type Naming = {
  startMs: number
  tenant: (index: number) => string
  cachePool: string | null
  /** Tokens in the ladder's first rung; null when events carry no ladder. */
  blockTokens: number | null
}

export const servedMinutes = (served: readonly Served[], naming: Naming): Minute[] => {
  const byMinute = new Map<number, Served[]>()
  for (const call of served) {
    const minute = Math.floor(call.second / 60)
    byMinute.set(minute, [...(byMinute.get(minute) ?? []), call])
  }
  const last = Math.max(...byMinute.keys())
  return Array.from({ length: last + 1 }, (_, minute) => {
    const rows = byMinute.get(minute) ?? []
    const grains: Minute['grains'] = { window: windowColumns(rows, naming) }
    if (naming.blockTokens !== null) grains.prefixes = prefixColumns(rows, naming)
    return { startMs: naming.startMs + minute * MINUTE_MS, grains }
  })
}

const WINDOW_MEASURES = ['n', 'null_n', 'w', 'h', 'ww', 'x_ppm', 'writes', 'cost_pico'] as const

const windowColumns = (calls: readonly Served[], naming: Naming): Columns => {
  const tenants = [...new Set(calls.map(({ tenant }) => tenant))].sort((a, b) => a - b)
  const rows = tenants.length
  const measures = Object.fromEntries(
    WINDOW_MEASURES.map((name) => [name, new Float64Array(rows)])
  ) as Record<(typeof WINDOW_MEASURES)[number], Float64Array>
  for (const { tenant, inputTokens: w, cachedTokens: h } of calls) {
    const row = tenants.indexOf(tenant)
    measures.n[row]! += 1
    measures.w[row]! += w
    measures.h[row]! += h
    measures.ww[row]! += w * w
    measures.x_ppm[row]! += Math.floor((h * PPM) / w)
    measures.writes[row]! += w - h
  }
  measures.cost_pico.fill(NaN)
  return {
    rows,
    series: Int32Array.from(tenants),
    keys: keysOf(calls, (tenant) => [naming.tenant(tenant), 'vllm', 'm', null, naming.cachePool]),
    measures,
    texts: {}
  }
}

const keysOf = (calls: readonly Served[], key: (tenant: number) => (string | null)[]) => {
  const largest = Math.max(-1, ...calls.map(({ tenant }) => tenant))
  return Array.from({ length: largest + 1 }, (_, tenant) => key(tenant))
}

const prefixColumns = (calls: readonly Served[], naming: Naming): Columns => {
  const rows = calls.filter(({ ladder }) => ladder.length > 0)
  const column = (value: (call: Served) => number) => Float64Array.from(rows.map(value))
  const milliseconds = column(({ second }) => Math.floor(second * 1000) % MINUTE_MS)
  return {
    rows: rows.length,
    series: Int32Array.from(rows.map(({ tenant }) => tenant)),
    keys: keysOf(rows, (tenant) => [naming.tenant(tenant), 'vllm', naming.cachePool]),
    measures: {
      block_tokens: column(() => naming.blockTokens ?? NaN),
      n: column(() => 1),
      in_total: column(({ inputTokens }) => inputTokens),
      in_cache_read: column(({ cachedTokens }) => cachedTokens),
      first_ms: milliseconds,
      last_ms: milliseconds
    },
    texts: { ladder: rows.map(({ ladder }) => ladder.join(SEPARATOR)) }
  }
}
