import type { Columns } from '../define.ts'
import type { Draft } from '../define.ts'
import { rateChange } from '../statistics/rate-change.ts'
import { addRate, observeRate } from '../statistics/rate-detector.ts'
import { followPool, resolvedDraft } from './pool-incident.ts'
import {
  addCounts,
  createPool,
  learnServing,
  poolName,
  readPrefixRow,
  startMinute,
  type Pool,
  type Reuse
} from './pool.ts'
import { tenantSettings } from './settings.ts'
import type { State } from './state.ts'

/** Feeds the pools of a minute and judges how much of what they had seen they still serve. */

const MINUTE_MS = 60_000

/** Reads the minute's prompts; returns how much of each pool's known tokens was served. */
export const readPrefixes = (
  state: State,
  columns: Columns | undefined,
  minute: number
): Map<Pool, Reuse> => {
  const reuse = new Map<Pool, Reuse>()
  if (columns === undefined) return reuse
  const { measures, texts, series, keys } = columns
  const column = (name: string) => measures[name]!
  const [blockTokens, events] = [column('block_tokens'), column('n')]
  const [input, cached] = [column('in_total'), column('in_cache_read')]
  const [first, last] = [column('first_ms'), column('last_ms')]
  for (let row = 0; row < columns.rows; row++) {
    const [tenant, provider, cachePool] = keys[series[row]!] as [
      string,
      string | null,
      string | null
    ]
    const ladder = texts['ladder']?.at(row) ?? ''
    if (!(blockTokens[row]! > 0) || ladder === '') continue
    const pool = poolFor(state, poolName(cachePool, provider), cachePool === null, minute)
    const prompt = {
      tenant,
      ladder,
      blockTokens: blockTokens[row]!,
      events: events[row]!,
      input: input[row]!,
      cached: cached[row]!,
      firstSecond: minute * 60 + first[row]! / 1000,
      lastSecond: minute * 60 + last[row]! / 1000
    }
    readPrefixRow(pool, prompt, minute, reuseOf(reuse, pool))
  }
  return reuse
}

const reuseOf = (all: Map<Pool, Reuse>, pool: Pool): Reuse => {
  const known = all.get(pool)
  if (known !== undefined) return known
  const fresh: Reuse = { n: 0, w: 0, h: 0, ww: 0, x: 0 }
  all.set(pool, fresh)
  return fresh
}

const poolFor = (state: State, name: string, assumed: boolean, minute: number): Pool => {
  const known = state.pools.get(name)
  const pool = known ?? createPool(name, assumed, minute)
  if (known === undefined) state.pools.set(name, pool)
  startMinute(pool, minute)
  return pool
}

/** Counts go to pools that events name, and to assumed ones that prompts made known. */
export const readCounts = (state: State, columns: Columns, minute: number): void => {
  const { n, w, h } = columns.measures as Record<'n' | 'w' | 'h', Float64Array>
  for (let row = 0; row < columns.rows; row++) {
    const key = columns.keys[columns.series[row]!]!
    const cachePool = key[4] ?? null
    if (!(n[row]! > 0) || (cachePool === null && state.pools.size === 0)) continue
    const name = poolName(cachePool, key[1] ?? null)
    if (cachePool === null && !state.pools.has(name)) continue
    const counts = { events: n[row]!, input: w[row]!, cached: h[row]! }
    addCounts(poolFor(state, name, cachePool === null, minute), key[0] ?? '', minute, counts)
  }
}

/** Judges the pools whose prompts were read in this minute; returns what opened or closed. */
export const judgePools = (state: State, reuse: Map<Pool, Reuse>, ms: number): Draft[] => {
  const drafts: (Draft | null)[] = []
  for (const [pool, sums] of reuse) {
    if (sums.n === 0 || sums.w <= 0 || pool.tenants.size < 2) continue
    learnServing(pool, ms / MINUTE_MS, state.incidents.has(pool.name))
    drafts.push(judgePool(state, pool, { sums, ms }))
  }
  return drafts.filter((draft) => draft !== null)
}

const judgePool = (
  state: State,
  pool: Pool,
  { sums, ms }: { sums: Reuse; ms: number }
): Draft | null => {
  const slot = reuseSlot(state, pool, ms)
  const sample = { ...sums, cost: 0 }
  const settings = tenantSettings(state.settings, 1)
  const opened = observeRate(state.reuse, slot, { sample, ms }, settings) === 'opened'
  const since = opened ? Math.floor(rateChange(state.reuse, slot).before.toMs / MINUTE_MS) : null
  const known = state.incidents.get(pool.name)
  const followed = followPool(pool, known, { minute: ms / MINUTE_MS, reuseFell: since })
  if (followed === null) return null
  if (followed === 'resolved') {
    state.incidents.delete(pool.name)
    return known === undefined ? null : resolvedDraft(known.draft, ms)
  }
  state.incidents.set(pool.name, followed)
  return followed.draft === known?.draft ? null : followed.draft
}

const reuseSlot = (state: State, pool: Pool, ms: number): number => {
  const known = state.poolSlots.get(pool.name)
  if (known !== undefined) return known
  const slot = addRate(state.reuse, ms)
  state.poolSlots.set(pool.name, slot)
  return slot
}
