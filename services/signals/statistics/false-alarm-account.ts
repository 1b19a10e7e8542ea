import { monthShare } from './false-alarm-budget.ts'
import type { Ledger } from './rise-alarm.ts'

/**
 * What evidence that starts now must reach, from what its tenant has left of its budget of false
 * findings. Unlike `alarmNats`, which pays for every minute of a month, it pays for what is judged.
 *
 * A bet that starts with a share w of a budget α alarms once it has made 1/α of w, at ln(1/(αw)) nats.
 * Bets are fair when nothing is wrong, so what is saved and what bets hold grow on average by what
 * time brings alone (a sum of e-processes: Shin, Ramdas, Rinaldo, arXiv 2203.03532), whatever is
 * paid back. Each alarm takes 1/α out of that: T months since the first bring at most αT on average.
 */
export type Account = Ledger & {
  /** The minute that is judged now. */
  ms: number
  /** Not at stake, in parts of a month's budget; never more than one month's. */
  saved: number
  /** What a start in this minute is given, and the nats that it must reach. */
  perStart: number
  nats: number
  /** Starts before this minute less what was paid back of them; those of a month ago weigh 1/e. */
  recent: number
}

export const openAccount = (ms: number): Account => ({
  ms,
  saved: 0,
  perStart: 0,
  nats: Infinity,
  recent: 0,
  stake: 0,
  starts: 0,
  spared: 0,
  returned: 0
})

type Budget = { falseFindingsPerTenantMonth: number; series: number }

const MINUTE_MS = 60_000

/**
 * Closes the minute before and opens the one at `ms`. A start is given its series' part of the
 * minute's own budget, as if all series were always busy, so a busy tenant is asked for no more
 * than that; and of what is saved the part that one start is of those of a month. As no minute
 * has more starts than series, it can give no more than there is.
 */
export const openMinute = (
  account: Account,
  ms: number,
  { falseFindingsPerTenantMonth, series }: Budget
): void => {
  const { starts, perStart, spared, returned } = account
  const months = monthShare(ms - account.ms)
  const back = returned / falseFindingsPerTenantMonth
  account.saved = Math.min(1, Math.max(0, account.saved + months - starts * perStart + back))
  account.recent = Math.max(0, account.recent + starts - spared) * Math.exp(-months)
  account.starts = account.spared = account.returned = 0
  account.ms = ms
  account.perStart =
    monthShare(MINUTE_MS) / series + account.saved / Math.max(account.recent, series)
  account.stake = falseFindingsPerTenantMonth * account.perStart
  account.nats = -Math.log(account.stake)
}

/** Numbers of an account that are kept; what is asked for follows from them. */
const KEPT = ['ms', 'saved', 'perStart', 'recent', 'starts', 'spared', 'returned'] as const
export const ACCOUNT_NUMBERS = KEPT.length

export const numbersOf = (account: Account): readonly number[] => KEPT.map((name) => account[name])

export const accountOf = (numbers: ArrayLike<number>): Account => {
  const account = openAccount(0)
  for (const [index, name] of KEPT.entries()) account[name] = numbers[index]!
  return account
}
