import { addSize, binOf, countFrom } from './level-histogram.ts'
import { L, LF, SURPRISE_BINS, SURPRISES } from './level-record.ts'
import { observeShift } from './level-shift.ts'
import { addRecord, type Records } from './records.ts'

/**
 * Watches any series of numbers with one setting: no unit, range or distribution is assumed. Two
 * questions at each point. Is it odd? Its distance from the level of now, and that level's from the
 * usual one, are ranked among all earlier ones; the ranks are conformal p-values, and bets on small
 * ones are summed (an e-detector, as in `evidence.ts`). Has the level changed for good? See
 * `level-shift.ts`.
 */

export type LevelOutcome = {
  /** Something odd goes on; silent for a while after each time. */
  alarm: boolean
  /** Evidence in nats behind the alarm. */
  nats: number
  /** Index of the first point of a new level, found now; null = none. */
  changedAt: number | null
}

/** Points before anything is judged odd: ranks among fewer say little. */
const ODD_AFTER_POINTS = 100
/** Exponent of the bet on a p-value: ε·p^(ε−1). */
const BET = 0.1
/** Evidence of an alarm. */
const ALARM_NATS = 7
/** Silence after an alarm, as a share of the points so far: what is told is told. */
const MUTE_SHARE = 0.05
const QUICK_RATE = 0.9
const SLOW_RATE = 0.003
/** Sizes that the unit of surprises is the mean of. */
const UNIT_POINTS = 12

export const addLevel = (records: Records): number => addRecord(records)

const OUTCOME: LevelOutcome = { alarm: false, nats: 0, changedAt: null }

/** Takes the next value of a series. The outcome is one object, read before the next call. */
export const observeLevel = (records: Records, slot: number, value: number): LevelOutcome => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  if (d[at + L.points] === 0) begin(d, at, value)
  OUTCOME.nats = judgeOdd(records, slot, value)
  OUTCOME.alarm = isTold(d, at, OUTCOME.nats)
  learnStep(records, slot, Math.abs(value - d[at + L.last]!))
  learnOverall(d, at, value)
  OUTCOME.changedAt = observeShift(records, slot, value)
  return OUTCOME
}

const begin = (d: Float64Array, at: number, value: number): void => {
  for (const name of ['last', 'mean', 'quick', 'slow'] as const) d[at + L[name]] = value
}

/** Adds a value to the bets; returns the evidence of their mean. */
const judgeOdd = (records: Records, slot: number, value: number): number => {
  const { doubles: d, floats: f, shape } = records
  const at = slot * shape.doubles
  const sizes = [value - d[at + L.quick]!, d[at + L.quick]! - d[at + L.slow]!]
  for (let s = 0; s < SURPRISES; s++) {
    const bins = slot * shape.floats + LF.surprises + s * SURPRISE_BINS
    const bin = binOf(Math.abs(sizes[s]!), d[at + L.unit]!)
    const p = (1 + countFrom(f, bins, bin)) / (1 + countFrom(f, bins, 0))
    const nats = Math.log(BET) + (BET - 1) * Math.log(p)
    d[at + L.nats + s] = Math.max(0, d[at + L.nats + s]! + nats)
    if (d[at + L.unitPoints]! >= UNIT_POINTS) addSize(f, bins, bin)
  }
  d[at + L.quick]! += QUICK_RATE * sizes[0]!
  d[at + L.slow]! += SLOW_RATE * (value - d[at + L.slow]!)
  return mixtureOf(d[at + L.nats]!, d[at + L.nats + 1]!)
}

const mixtureOf = (one: number, other: number): number => {
  const most = Math.max(one, other)
  return most + Math.log((Math.exp(one - most) + Math.exp(other - most)) / 2)
}

const isTold = (d: Float64Array, at: number, nats: number): boolean => {
  const points = d[at + L.points]!
  if (points < ODD_AFTER_POINTS) {
    d.fill(0, at + L.nats, at + L.nats + SURPRISES)
    return false
  }
  if (points < d[at + L.mutedUntil]! || nats < ALARM_NATS) return false
  d[at + L.mutedUntil] = points + MUTE_SHARE * points
  d.fill(0, at + L.nats, at + L.nats + SURPRISES)
  return true
}

const learnStep = ({ doubles: d, floats: f, shape }: Records, slot: number, size: number): void => {
  const at = slot * shape.doubles
  const known = d[at + L.unitPoints]!
  if (known < UNIT_POINTS) {
    if (size > 0) {
      d[at + L.unit] = (d[at + L.unit]! * known + size) / (known + 1)
      d[at + L.unitPoints]! += 1
    }
  }
  addSize(f, slot * shape.floats + LF.steps, binOf(size, d[at + L.unit]!))
}

const learnOverall = (d: Float64Array, at: number, value: number): void => {
  d[at + L.points]! += 1
  const before = value - d[at + L.mean]!
  d[at + L.mean]! += before / d[at + L.points]!
  d[at + L.squares]! += before * (value - d[at + L.mean]!)
}
