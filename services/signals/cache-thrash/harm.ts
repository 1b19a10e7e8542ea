import { curveOf, usageAgainst, type UsageAt } from './gap-minutes.ts'
import { singleLoss } from './loss.ts'
import { persistence } from './persistence.ts'
import { FILLING_MINUTES, type Pool } from './pool.ts'
import type { ServedCurve } from './served-curve.ts'
import { RING_MINUTES } from './tenant-ring.ts'

/**
 * Whether the others lost since a minute: their reuse, with the suspect's own left out. Each tenant
 * is compared with itself, as who happens to be busy moves the pool's reuse more than any loss.
 */
export type Harm = {
  /** Share of reusable tokens that the others were served, before and after. */
  before: number
  after: number
  /** Tokens lost as a share of what the cache usually serves them: by all, or by the surest loser. */
  lost: number
  /** Standard errors that lie between; where few lose much, those that tell of the few as surely. */
  z: number
  /** Evidence in nats: −ln of about twice the one-sided tail probability of z. */
  nats: number
  /** Share of reuse by gap that was served before the change: what both sides are held against. */
  curve: ServedCurve
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
  // The change's own minute is half old, half new.
  const now = [Math.max(oldest, sinceMinute + 1), nowMinute + 1] as const
  const slots = [...pool.tenants].filter(([tenant]) => tenant !== suspect).map(([, slot]) => slot)
  const curve = curveOf(pool.gapMinutes, from, sinceMinute)
  const usage = usageAgainst(pool, curve)
  const usual = usualReuse(usage, slots, from, sinceMinute)
  const before = reuse(usage, slots, [from, sinceMinute], usual)
  const after = reuse(usage, slots, now, usual)
  if (before.length < MINUTES_MIN || after.length < MINUTES_MIN) return null
  const [b, a] = [mean(before), mean(after)]
  const sd = Math.max(SD_MIN, Math.sqrt(mean(before.map((x) => (x - b) ** 2))))
  const inflation = Math.sqrt(persistence(before, b))
  const together = (b - a) / (sd * inflation * Math.sqrt(1 / before.length + 1 / after.length))
  const single = singleLoss(pool, { slots, usage }, [from, sinceMinute], now)
  const alone = Math.sqrt(2 * Math.max(0, single.nats))
  const z = Math.max(together, alone)
  const lost = Math.max(b - a, single.share)
  return { before: b, after: a, lost, z, nats: z > 0 ? (z * z) / 2 : 0, curve }
}

/** Mean reuse of the others in [from, to) against a curve; null when there was none to serve. */
export const recentReuse = (
  pool: Pool,
  suspect: string | null,
  curve: ServedCurve,
  [from, to]: readonly [number, number]
): number | null => {
  const slots = [...pool.tenants].filter(([tenant]) => tenant !== suspect).map(([, slot]) => slot)
  const rates = reuse(usageAgainst(pool, curve), slots, [from, to])
  return rates.length < MINUTES_MIN ? null : mean(rates)
}

type Usual = { all: number; of: ReadonlyMap<number, number> }

/** Reuse of each tenant over a stretch, leaning on the pool's by as much as one minute of it. */
const usualReuse = (usage: UsageAt, slots: readonly number[], from: number, to: number): Usual => {
  const sums = new Map(slots.map((slot) => [slot, stretch(usage, slot, from, to)]))
  const known = total(sums, (one) => one.known)
  const all = known > 0 ? 1 - total(sums, (one) => one.remiss) / known : 0
  const lean = known / Math.max(1, slots.length * (to - from))
  const of = new Map<number, number>()
  for (const [slot, own] of sums) {
    of.set(slot, (own.known - own.remiss + lean * all) / Math.max(own.known + lean, 1e-9))
  }
  return { all, of }
}

const stretch = (usageAt: UsageAt, slot: number, from: number, to: number) => {
  const sum = { known: 0, remiss: 0 }
  for (let minute = from; minute < to; minute++) {
    const { usual, remiss } = usageAt(slot, minute)
    sum.known += usual
    sum.remiss += remiss
  }
  return sum
}

const total = <One>(sums: ReadonlyMap<number, One>, of: (one: One) => number): number =>
  [...sums.values()].reduce((sum, one) => sum + of(one), 0)

/** Reuse per minute; given what is usual, as it would be if all were as busy as they usually are. */
const reuse = (
  usageAt: UsageAt,
  slots: readonly number[],
  [from, to]: readonly [number, number],
  usual: Usual | null = null
): number[] => {
  const rates: number[] = []
  for (let minute = from; minute < to; minute++) {
    let known = 0
    let served = 0
    for (const slot of slots) {
      const own = usageAt(slot, minute)
      const mix = usual === null ? 0 : usual.of.get(slot)! - usual.all
      known += own.usual
      served += own.usual * (1 - mix) - own.remiss
    }
    if (known > 0) rates.push(served / known)
  }
  return rates
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
