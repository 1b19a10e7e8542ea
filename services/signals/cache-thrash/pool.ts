import { addRecord, type Records } from '../statistics/records.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { evictionAge, GAP_BINS, readPrompt, type Ages, type Gaps, type Prompt } from './novelty.ts'
import { addToMinute, createRing, startRing } from './tenant-ring.ts'

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
  /** Age at which the pool evicts, and the same at the ends of the last tens of minutes. */
  aliveSeconds: number
  agesBefore: number[]
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
  gaps: { hits: new Float64Array(GAP_BINS), misses: new Float64Array(GAP_BINS) },
  aliveSeconds: ALIVE_SECONDS_DEFAULT,
  agesBefore: [],
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

/** Ages kept, ten minutes apart: the oldest is from before any change that is still being judged. */
const AGES_BEFORE = 3
/** A pool's first minutes, in which every prefix is new to it. */
export const FILLING_MINUTES = 10
const AGE_MINUTES = 10

/** What is usual stays as it was while an incident is open, or a loss would soon be no loss. */
export const learnEvictionAge = (pool: Pool, minute: number, hasIncident: boolean): void => {
  if (!pool.gaps.hits.some((tokens) => tokens > 0)) return
  pool.aliveSeconds = evictionAge(pool.gaps)
  const isFilling = minute < pool.firstMinute + FILLING_MINUTES
  if (hasIncident || isFilling || minute % AGE_MINUTES > 0) return
  pool.agesBefore.push(pool.aliveSeconds)
  if (pool.agesBefore.length > AGES_BEFORE) pool.agesBefore.shift()
}

const agesOf = ({ aliveSeconds: alive, agesBefore: [oldest] }: Pool): Ages => ({
  alive,
  usual: oldest ?? alive
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
  const { times } = place
  const read = readPrompt(pool.ledger, pool.gaps, prompt, agesOf(pool))
  const { novel, remiss, known, headNovel, alive } = read
  addToMinute(pool.ring, place, 3, novel * times)
  addToMinute(pool.ring, place, 4, remiss * times)
  addToMinute(pool.ring, place, 5, known * times)
  addToMinute(pool.ring, place, 6, alive * times)
  addToMinute(pool.ring, place, 7, headNovel * times)
  if (known <= 0) return
  const served = Math.max(0, known - remiss)
  reuse.n += times
  reuse.w += known * times
  reuse.h += served * times
  reuse.ww += known * known * times
  reuse.x += (served / known) * times
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
