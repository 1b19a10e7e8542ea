import type { Pool } from './pool.ts'
import { FILLING_MINUTES } from './suspicion.ts'
import { KNOWN, REMISS, RING_MINUTES, valueAt } from './tenant-ring.ts'

/** Whether the others lost since a minute: their reuse, with the suspect's own left out. */
export type Harm = {
  /** Share of reusable tokens that the others were served, before and after. */
  before: number
  after: number
  /** Standard errors that lie between. */
  z: number
  /** Evidence of z in nats: −ln of about twice its one-sided tail probability. */
  nats: number
}

/** Minutes before the change that serve as the yardstick. */
const BEFORE_MINUTES = 30
const MINUTES_MIN = 3
/** Per-minute reuse is never steadier than this; guards tiny pools against a lucky calm. */
const SD_MIN = 0.01

export const measureHarm = (
  pool: Pool,
  suspect: string,
  sinceMinute: number,
  nowMinute: number
): Harm | null => {
  const oldest = nowMinute - RING_MINUTES + 1
  const from = Math.max(oldest, sinceMinute - BEFORE_MINUTES, pool.firstMinute + FILLING_MINUTES)
  const slots = [...pool.tenants].filter(([tenant]) => tenant !== suspect).map(([, slot]) => slot)
  const before = reuse(pool, slots, from, sinceMinute)
  // The change's own minute is half old, half new.
  const after = reuse(pool, slots, Math.max(oldest, sinceMinute + 1), nowMinute + 1)
  if (before.length < MINUTES_MIN || after.length < MINUTES_MIN) return null
  const [b, a] = [mean(before), mean(after)]
  const sd = Math.max(SD_MIN, Math.sqrt(mean(before.map((x) => (x - b) ** 2))))
  const inflation = Math.sqrt(persistence(before, b))
  const z = (b - a) / (sd * inflation * Math.sqrt(1 / before.length + 1 / after.length))
  return { before: b, after: a, z, nats: z > 0 ? (z * z) / 2 : 0 }
}

/** Mean reuse of the others over the minutes up to now; null when there was none to serve. */
export const recentReuse = (
  pool: Pool,
  suspect: string | null,
  fromMinute: number,
  nowMinute: number
): number | null => {
  const slots = [...pool.tenants].filter(([tenant]) => tenant !== suspect).map(([, slot]) => slot)
  const rates = reuse(pool, slots, fromMinute, nowMinute + 1)
  return rates.length < MINUTES_MIN ? null : mean(rates)
}

const reuse = (pool: Pool, slots: readonly number[], from: number, to: number): number[] => {
  const rates: number[] = []
  for (let minute = from; minute < to; minute++) {
    let known = 0
    let remiss = 0
    for (const slot of slots) {
      known += valueAt(pool.ring, slot, minute, KNOWN)
      remiss += valueAt(pool.ring, slot, minute, REMISS)
    }
    if (known > 0) rates.push((known - remiss) / known)
  }
  return rates
}

/** Variance inflation of a mean over minutes that resemble their neighbours: (1+ρ)/(1−ρ). */
const persistence = (series: readonly number[], centre: number): number => {
  let product = 0
  let square = 0
  for (const [index, value] of series.entries()) {
    square += (value - centre) ** 2
    if (index > 0) product += (value - centre) * (series[index - 1]! - centre)
  }
  const correlation = square > 0 ? Math.min(PERSISTENCE_MAX, Math.max(0, product / square)) : 0
  return (1 + correlation) / (1 - correlation)
}

/** Estimated from half an hour, a correlation above this is chance. */
const PERSISTENCE_MAX = 0.6

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
