import { RF, RISE_HOURS } from '../statistics/rise-record.ts'
import type { Records } from '../statistics/records.ts'
import { CLOCK_END, extremeHours, shareByHour } from './clock.ts'

/**
 * Whether quality itself has a daily wave. Each midnight a bet is settled: the hours that were
 * worst on earlier days were worse again today than those that were best. Without a wave either
 * is as likely, whatever the noise, so that exp of the sum is an e-detector.
 */

const WAVE_NATS = CLOCK_END
const WAVE_DAY = CLOCK_END + 1
export const WAVE_END = CLOCK_END + 2
/** Share of the stake that a lost bet costs. */
const STAKE = 0.9
/** Trials of a day's third below which its bet is called off. */
const TRIALS_MIN = 20
const DAYS_BEFORE = 3
const DAY_MS = 86_400_000

export type Wave = {
  nats: number
  quiet: number[]
  bad: number[]
  quietShare: number
  badShare: number
  /** Bad ones in the bad hours beyond what the quiet ones would have, a day. */
  excessPerDay: number
}

/** To be called before the first window of a day is learned; null on any other window. */
export const settleWave = (
  records: Records,
  slot: number,
  ms: number,
  daysLearned: number
): Wave | null => {
  const { doubles: d, shape } = records
  const at = slot * shape.doubles
  const day = Math.floor(ms / DAY_MS)
  if (day === d[at + WAVE_DAY]!) return null
  const isFirst = d[at + WAVE_DAY] === 0
  d[at + WAVE_DAY] = day
  if (isFirst || daysLearned < DAYS_BEFORE) return null
  const shares = shareByHour(records, slot)
  const { quiet, bad } = extremeHours(shares)
  const [calm, worse] = [dayShare(records, slot, quiet), dayShare(records, slot, bad)]
  if (calm !== null && worse !== null && calm !== worse) {
    const nats = Math.log(worse > calm ? 1 + STAKE : 1 - STAKE)
    d[at + WAVE_NATS] = Math.max(0, d[at + WAVE_NATS]! + nats)
  }
  const mean = (hours: readonly number[]): number =>
    hours.reduce((sum, hour) => sum + shares[hour]!, 0) / hours.length
  const [quietShare, badShare] = [mean(quiet), mean(bad)]
  const excessPerDay = (badShare - quietShare) * casesOf(records, slot, bad)
  return { nats: d[at + WAVE_NATS]!, quiet, bad, quietShare, badShare, excessPerDay }
}

/** Cases of some hours in the day that has just ended. */
const casesOf = ({ floats: f, shape }: Records, slot: number, hours: readonly number[]): number =>
  hours.reduce((sum, hour) => sum + f[slot * shape.floats + RF.dayN + hour]!, 0)

/** Bad share of some hours of the day that has just ended. */
const dayShare = (
  { floats: f, shape }: Records,
  slot: number,
  hours: readonly number[]
): number | null => {
  const at = slot * shape.floats
  let [n, k] = [0, 0]
  for (const hour of hours.filter((one) => one < RISE_HOURS)) {
    n += f[at + RF.dayN + hour]!
    k += f[at + RF.dayK + hour]!
  }
  return n < TRIALS_MIN ? null : k / n
}
