import { FILLING_MINUTES, type Pool } from './pool.ts'
import { KNOWN, REMISS, RING_MINUTES, valueAt } from './tenant-ring.ts'

/**
 * Whether the others lost since a minute: their reuse, with the suspect's own left out. Each tenant
 * is compared with itself, as who happens to be busy moves the pool's reuse more than any loss.
 */
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
  const usual = usualReuse(pool, slots, from, sinceMinute)
  const before = reuse(pool, slots, [from, sinceMinute], usual)
  // The change's own minute is half old, half new.
  const after = reuse(pool, slots, [Math.max(oldest, sinceMinute + 1), nowMinute + 1], usual)
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
  const rates = reuse(pool, slots, [fromMinute, nowMinute + 1])
  return rates.length < MINUTES_MIN ? null : mean(rates)
}

type Usual = { all: number; of: ReadonlyMap<number, number> }

/** Reuse of each tenant over a stretch, leaning on the pool's by as much as one minute of it. */
const usualReuse = (pool: Pool, slots: readonly number[], from: number, to: number): Usual => {
  const sums = new Map(slots.map((slot) => [slot, stretch(pool, slot, from, to)]))
  const known = total(sums, (one) => one.known)
  const all = known > 0 ? 1 - total(sums, (one) => one.remiss) / known : 0
  const lean = known / Math.max(1, slots.length * (to - from))
  const of = new Map<number, number>()
  for (const [slot, own] of sums) {
    of.set(slot, (own.known - own.remiss + lean * all) / Math.max(own.known + lean, 1e-9))
  }
  return { all, of }
}

const stretch = ({ ring }: Pool, slot: number, from: number, to: number) => {
  const sum = { known: 0, remiss: 0 }
  for (let minute = from; minute < to; minute++) {
    sum.known += valueAt(ring, slot, minute, KNOWN)
    sum.remiss += valueAt(ring, slot, minute, REMISS)
  }
  return sum
}

const total = <One>(sums: ReadonlyMap<number, One>, of: (one: One) => number): number =>
  [...sums.values()].reduce((sum, one) => sum + of(one), 0)

/** Reuse per minute; given what is usual, as it would be if all were as busy as they usually are. */
const reuse = (
  { ring }: Pool,
  slots: readonly number[],
  [from, to]: readonly [number, number],
  usual: Usual | null = null
): number[] => {
  const rates: number[] = []
  for (let minute = from; minute < to; minute++) {
    let known = 0
    let served = 0
    for (const slot of slots) {
      const own = valueAt(ring, slot, minute, KNOWN)
      const mix = usual === null ? 0 : usual.of.get(slot)! - usual.all
      known += own
      served += own * (1 - mix) - valueAt(ring, slot, minute, REMISS)
    }
    if (known > 0) rates.push(served / known)
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
