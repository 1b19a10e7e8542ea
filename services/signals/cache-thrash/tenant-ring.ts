import { createRecords, layout, type Records } from '../statistics/records.ts'

/**
 * What each tenant of a pool did in each of the last minutes, and on average before that: what a
 * ranking of culprits compares. One record per tenant and pool.
 */

/** Minutes kept one by one: half an hour before a change and the twenty minutes after it. */
export const RING_MINUTES = 48

/** Per minute, in events and tokens. */
export const MEASURES = [
  'events',
  'input',
  'cached',
  'novel',
  'remiss',
  'usual',
  'alive',
  'headNovel'
] as const
export type Measure = (typeof MEASURES)[number]
/** Positions of the measures that are read one by one. */
export const EVENTS = 0
export const INPUT = 1
export const NOVEL = 3
export const REMISS = 4
export const USUAL = 5
export const WIDTH = MEASURES.length
export type Rates = Record<Measure, number>

const floats = layout({
  ring: RING_MINUTES * WIDTH,
  decayed: WIDTH,
  weight: 1
})
const doubles = layout({
  firstMinute: 1,
  lastMinute: 1,
  /** Evidence that prompts changed shape, or that volume outgrew health, since which minute, and what is left over. */
  shapeNats: 1,
  shapeSince: 1,
  shapeLeft: 1,
  volumeNats: 1,
  volumeSince: 1,
  volumeLeft: 1,
  /** Tokens that might repeat past the last rung that prompts share, and those that did. */
  known: 1,
  knownServed: 1
})
const F = floats.at
export const RING = doubles.at
const D = doubles.at
/** Half-life of the mean that stands for everything older than the ring: one day. */
const DECAY_PER_MINUTE = 0.5 ** (1 / 1440)

export const createRing = (): Records =>
  createRecords({ doubles: doubles.length, floats: floats.length, bytes: 0 })

export const startRing = (records: Records, slot: number, minute: number): void => {
  records.doubles[slot * records.shape.doubles + D.firstMinute] = minute
  records.doubles[slot * records.shape.doubles + D.lastMinute] = minute - 1
}

/** Adds to a tenant's current minute; minutes that were skipped count as silent. */
export const addToMinute = (
  records: Records,
  { slot, minute }: { slot: number; minute: number },
  measure: number,
  value: number
): void => {
  advance(records, slot, minute)
  const at = slot * records.shape.floats + F.ring + (minute % RING_MINUTES) * WIDTH
  records.floats[at + measure]! += value
}

/** Each prompt takes this share off what earlier ones said: some fifty are remembered. */
const REPEAT_DECAY = 0.98

/** Learns how much a tenant's prompts repeat of an earlier one past the last rung they share. */
export const learnRepeats = (
  { doubles: d, shape }: Records,
  slot: number,
  { tokens, served }: { tokens: number; served: number }
): void => {
  if (tokens <= 0) return
  const at = slot * shape.doubles
  d[at + D.known] = REPEAT_DECAY * d[at + D.known]! + tokens
  d[at + D.knownServed] = REPEAT_DECAY * d[at + D.knownServed]! + served
}

/** The share of it; 0 until some was seen. */
export const repeatShare = ({ doubles: d, shape }: Records, slot: number): number => {
  const known = d[slot * shape.doubles + D.known]!
  return known > 0 ? d[slot * shape.doubles + D.knownServed]! / known : 0
}

/** Moves a tenant's ring to a minute; what falls out of it moves into the decayed mean. */
const advance = ({ doubles: d, floats: f, shape }: Records, slot: number, minute: number): void => {
  const last = slot * shape.doubles + D.lastMinute
  if (d[last]! >= minute) return
  const at = slot * shape.floats
  const steps = Math.min(minute - d[last]!, 2 * RING_MINUTES)
  const idle = minute - d[last]! - steps
  if (idle > 0) decay(f, at, DECAY_PER_MINUTE ** idle, idle)
  for (let now = minute - steps + 1; now <= minute; now++) {
    const cell = at + F.ring + (now % RING_MINUTES) * WIDTH
    decay(f, at, DECAY_PER_MINUTE, 1)
    for (let measure = 0; measure < WIDTH; measure++) {
      f[at + F.decayed + measure]! += f[cell + measure]!
    }
    f.fill(0, cell, cell + WIDTH)
  }
  d[last] = minute
}

/** Ages the decayed sums, and counts minutes into their weight. */
const decay = (f: Float32Array, at: number, factor: number, minutes: number): void => {
  for (let measure = 0; measure < WIDTH; measure++) f[at + F.decayed + measure]! *= factor
  f[at + F.weight] = f[at + F.weight]! * factor + minutes
}

/** One measure of one minute; 0 where the ring no longer, or not yet, holds it. */
export const valueAt = (
  records: Records,
  slot: number,
  minute: number,
  measure: number
): number => {
  const last = records.doubles[slot * records.shape.doubles + D.lastMinute]!
  if (minute > last || minute <= last - RING_MINUTES) return 0
  const cell = slot * records.shape.floats + F.ring + (minute % RING_MINUTES) * WIDTH
  return records.floats[cell + measure]!
}

/** Mean per minute over [from, to); minutes the ring no longer holds are left out. */
export const meanOver = (records: Records, slot: number, from: number, to: number): Rates => {
  const { doubles: d, floats: f, shape } = records
  const last = d[slot * shape.doubles + D.lastMinute]!
  const first = Math.max(from, last - RING_MINUTES + 1)
  const sums = new Float64Array(WIDTH)
  for (let minute = first; minute < Math.min(to, last + 1); minute++) {
    const cell = slot * shape.floats + F.ring + (minute % RING_MINUTES) * WIDTH
    for (let measure = 0; measure < WIDTH; measure++) sums[measure]! += f[cell + measure]!
  }
  return toRates(sums, Math.max(1, to - from))
}

/** Mean per minute over everything older than the ring. */
export const meanLongAgo = ({ floats: f, shape }: Records, slot: number): Rates => {
  const at = slot * shape.floats
  const sums = Float64Array.from(f.subarray(at + F.decayed, at + F.decayed + WIDTH))
  return toRates(sums, Math.max(1, f[at + F.weight]!))
}

const toRates = (sums: Float64Array, minutes: number): Rates => ({
  events: sums[0]! / minutes,
  input: sums[1]! / minutes,
  cached: sums[2]! / minutes,
  novel: sums[3]! / minutes,
  remiss: sums[4]! / minutes,
  usual: sums[5]! / minutes,
  alive: sums[6]! / minutes,
  headNovel: sums[7]! / minutes
})
