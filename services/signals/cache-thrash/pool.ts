import { addRecord, type Records } from '../statistics/records.ts'
import { createGapMinutes, type GapMinutes } from './gap-minutes.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { readPrompt, type Habit, type Prompt } from './novelty.ts'
import {
  createGaps,
  evictionAge,
  GAP_BINS,
  servedCurve,
  stepCurve,
  type Gaps,
  type ServedCurve
} from './served-curve.ts'
import { addToMinute, createRing, learnRepeats, repeatShare, startRing } from './tenant-ring.ts'

/**
 * A cache that several tenants share. Its reuse rate, of tokens that it usually serves, is watched like
 * a tenant's hit rate; what each tenant puts into it is kept to tell who pushed the others out.
 */

export type Pool = {
  /** The cache's name, or the provider's when events name no cache. */
  name: string
  /** No event names a cache: that tenants share one is an assumption. */
  assumed: boolean
  ledger: Ledger
  gaps: Gaps
  /** The same, minute by minute. */
  gapMinutes: GapMinutes
  /** Age at which the pool evicts. */
  aliveSeconds: number
  /** Share of reuse that the pool serves by gap, and the same at the ends of the last tens of minutes. */
  served: ServedCurve
  servedBefore: ServedCurve[]
  firstMinute: number
  lastMinute: number
  tenants: Map<string, number>
  ring: Records
  /** Whether prefix ladders were seen; without them only counts tell. */
  laddered: boolean
}

/** Half-life of what is known about reuse gaps: half an hour. */
const GAPS_DECAY_PER_MINUTE = 0.5 ** (1 / 30)
/** Eviction age assumed until reuse shows another: providers keep prefixes for five minutes. */
const ALIVE_SECONDS_DEFAULT = 300

export const createPool = (name: string, assumed: boolean, minute: number): Pool => ({
  name,
  assumed,
  ledger: createLedger(),
  gaps: createGaps(),
  gapMinutes: createGapMinutes(),
  aliveSeconds: ALIVE_SECONDS_DEFAULT,
  served: stepCurve(ALIVE_SECONDS_DEFAULT),
  servedBefore: [],
  firstMinute: minute,
  lastMinute: minute,
  tenants: new Map(),
  ring: createRing(),
  laddered: false
})

export const tenantSlot = (pool: Pool, tenant: string, minute: number): number => {
  const known = pool.tenants.get(tenant)
  if (known !== undefined) return known
  const slot = addRecord(pool.ring)
  startRing(pool.ring, slot, minute)
  pool.tenants.set(tenant, slot)
  return slot
}

/** Ages the knowledge of gaps and re-reads the eviction age from it, once a minute. */
export const startMinute = (pool: Pool, minute: number): void => {
  if (minute === pool.lastMinute) return
  const factor = GAPS_DECAY_PER_MINUTE ** (minute - pool.lastMinute)
  for (let bin = 0; bin < GAP_BINS; bin++) {
    pool.gaps.hits[bin]! *= factor
    pool.gaps.misses[bin]! *= factor
  }
  pool.lastMinute = minute
}

/** Curves kept, ten minutes apart: the oldest is from before any change that is still being judged. */
const CURVES_BEFORE = 3
/** A pool's first minutes, in which every prefix is new to it. */
export const FILLING_MINUTES = 10
const CURVE_MINUTES = 10

/** What is usual stays as it was while an incident is open, or a loss would soon be no loss. */
export const learnServing = (pool: Pool, minute: number, hasIncident: boolean): void => {
  if (!pool.gaps.hits.some((tokens) => tokens > 0)) return
  pool.aliveSeconds = evictionAge(pool.gaps)
  pool.served = servedCurve(pool.gaps)
  const isFilling = minute < pool.firstMinute + FILLING_MINUTES
  if (hasIncident || isFilling || minute % CURVE_MINUTES > 0) return
  pool.servedBefore.push(pool.served)
  if (pool.servedBefore.length > CURVES_BEFORE) pool.servedBefore.shift()
}

const habitOf = (pool: Pool, slot: number): Habit => ({
  alive: pool.aliveSeconds,
  usual: pool.servedBefore[0] ?? pool.served,
  repeatShare: repeatShare(pool.ring, slot)
})

/** Sums over prompts of tokens that could have been served (w) and were (h), as in windows. */
export type Reuse = { n: number; w: number; h: number; ww: number; x: number }

export type PrefixRow = {
  tenant: string
  ladder: string
  blockTokens: number
  events: number
  input: number
  cached: number
  firstSecond: number
  lastSecond: number
}

/** Reads one row of prompts with one prefix; adds the reuse of its tokens to `reuse`. */
export const readPrefixRow = (pool: Pool, row: PrefixRow, minute: number, reuse: Reuse): void => {
  pool.laddered = true
  const slot = tenantSlot(pool, row.tenant, minute)
  const [input, cached] = [row.input / row.events, row.cached / row.events]
  const prompt = { ...row, input, cached, second: row.firstSecond }
  addPrompt(pool, { slot, minute, times: 1 }, prompt, reuse)
  if (row.events <= 1) return
  // The others repeat the first: one of them, a usual gap later, stands for all.
  prompt.second += Math.round((row.lastSecond - row.firstSecond) / (row.events - 1))
  addPrompt(pool, { slot, minute, times: row.events - 1 }, prompt, reuse)
}

type Place = { slot: number; minute: number; times: number }

const addPrompt = (pool: Pool, place: Place, prompt: Prompt, reuse: Reuse): void => {
  const { slot, times } = place
  const read = readPrompt(pool, prompt, habitOf(pool, slot))
  const { novel, remiss, usual, headNovel, alive, reusable, reused } = read
  addToMinute(pool.ring, place, 3, novel * times)
  addToMinute(pool.ring, place, 4, remiss * times)
  addToMinute(pool.ring, place, 5, usual * times)
  addToMinute(pool.ring, place, 6, alive * times)
  addToMinute(pool.ring, place, 7, headNovel * times)
  learnRepeats(pool.ring, slot, { tokens: read.known * times, served: read.knownServed * times })
  if (reusable <= 0) return
  reuse.n += times
  reuse.w += reusable * times
  reuse.h += reused * times
  reuse.ww += reusable * reusable * times
  reuse.x += (reused / reusable) * times
}

/** Counts of a tenant's minute, which come with every event, ladder or not. */
export const addCounts = (
  pool: Pool,
  tenant: string,
  minute: number,
  counts: { events: number; input: number; cached: number }
): void => {
  const place = { slot: tenantSlot(pool, tenant, minute), minute }
  addToMinute(pool.ring, place, 0, counts.events)
  addToMinute(pool.ring, place, 1, counts.input)
  addToMinute(pool.ring, place, 2, counts.cached)
}

/** The pool that a row belongs to. */
export const poolName = (cachePool: string | null, provider: string | null): string =>
  cachePool ?? `provider:${provider ?? ''}`
