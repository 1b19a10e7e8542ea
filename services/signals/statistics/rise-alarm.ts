import { R, RISES } from './rise-record.ts'

/** Whether evidence for a rise reaches what was asked of it when it started. */

export type Asked = {
  /** Nats that evidence must reach. */
  alarmNats: number
  /**
   * Is told of bets that start and end; each bet is asked then for `alarmNats` as it was when its
   * evidence started. Without it, for `alarmNats` as it is.
   */
  ledger?: Ledger
}

/** Bets, in parts of all that a series makes at once. */
export type Ledger = {
  /** e^−nats that is asked for now. */
  stake: number
  /** Bets that started. */
  starts: number
  /** What bets that ended had left of what they started with, and the same in e^−nats asked. */
  spared: number
  returned: number
}

/** Sums of multiples of this are exact, in whatever order the series of a minute come. */
const GRAIN = 2 ** -45
const down = (value: number): number => Math.floor(value / GRAIN) * GRAIN
const ONE_OF_ALL = 1 / RISES.length

/** To be told of each bet whose evidence starts. */
export const startBet = (d: Float64Array, at: number, bet: number, asked: Asked): void => {
  if (asked.ledger === undefined) return
  d[at + R.asked + bet] = asked.alarmNats
  asked.ledger.starts += ONE_OF_ALL
}

/** To be told of each bet whose evidence is gone: what is left of it bets no more. */
export const endBet = (d: Float64Array, at: number, bet: number, asked: Asked): void => {
  if (asked.ledger === undefined) return
  const left = ONE_OF_ALL * Math.exp(d[at + R.evidence + bet]!)
  const own = d[at + R.asked + bet]!
  // Most bets end in the window in which they started: an exponential less for each.
  const stake = own === asked.alarmNats ? asked.ledger.stake : Math.exp(-own)
  asked.ledger.spared += down(left)
  asked.ledger.returned += down(left * stake)
}

/** Whether the mean of bets, each in units of what it is asked for, is one or more. */
export const isAlarm = (d: Float64Array, at: number, asked: Asked): boolean => {
  let strongest = -Infinity
  for (let bet = 0; bet < RISES.length; bet++) {
    strongest = Math.max(strongest, beyondAsked(d, at, bet, asked))
  }
  // The mean is never above the strongest, whose exponentials need not be taken then.
  if (strongest < 0) return false
  let sum = 0
  for (let bet = 0; bet < RISES.length; bet++) {
    sum += Math.exp(beyondAsked(d, at, bet, asked) - strongest)
  }
  return strongest + Math.log(sum / RISES.length) >= 0
}

const beyondAsked = (
  d: Float64Array,
  at: number,
  bet: number,
  { ledger, alarmNats }: Asked
): number => d[at + R.evidence + bet]! - (ledger === undefined ? alarmNats : d[at + R.asked + bet]!)
