import type { Logger } from 'pino'
import { bookDue } from '../../../jobs/chargeback/book.ts'
import type { Budget } from '../../../jobs/chargeback/budgets/budget-file.ts'
import { dueBudgets, watchBudgets } from '../../../jobs/chargeback/budgets/watch.ts'
import { closeByClock, type CloseClock } from '../../../jobs/chargeback/close-watch.ts'
import { dueDays } from '../../../jobs/chargeback/ledger.ts'
import { DAY_MS } from '../../../jobs/chargeback/month.ts'
import { reachedUntil } from '../../../jobs/detect/watermark.ts'
import { openFrom } from '../../../jobs/settle/closed-hours.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { Lake } from '../../lake/lake.ts'
import type { EventLog } from '../../stream/log.ts'
import { openChargeSite, type ChargeSite } from '../charge-site.ts'
import { eventPartitions, type SiteOptions } from '../site.ts'
import type { HeldLease } from './held-lease.ts'
import type { Jobs } from './jobs-site.ts'

export type MoneySettings = {
  budgets: readonly Budget[]
  /** Files that charges are booked by. */
  contracts?: string
  rules?: string
  /** Null = months are closed by hand. */
  clock: CloseClock | null
}

export type MoneyDoors = {
  place: SiteOptions
  /** Only to see what is due: an engine is opened when something is. */
  lake: Lake
  log: EventLog
  lease: HeldLease
  logger: Logger
  success: (job: string) => void
  money: MoneySettings
}

/** Booking and budgets, with the clock. */
export const moneyJobs = (doors: MoneyDoors): Pick<Jobs, 'budgets' | 'book'> => ({
  budgets: () => asLeader(doors, 'budgets', () => lookAtBudgets(doors)),
  book: () => asLeader(doors, 'book', () => bookAndClose(doors))
})

const asLeader = async (
  { lease, success }: MoneyDoors,
  job: string,
  work: () => Promise<number>
): Promise<number | null> => {
  if (!lease.held()) return null
  const done = await work()
  success(job)
  return done
}

const lookAtBudgets = async (doors: MoneyDoors): Promise<number> => {
  const { lake, log, money } = doors
  const head = await lake.head()
  const untilMs = reachedUntil(head, await eventPartitions(log), Date.now())
  if (untilMs === null) return 0
  const { budgets } = money
  const due = dueBudgets(head, { budgets, keptTags: [], untilMs })
  if (due === null) return 0
  return withSite(doors, async (site) => {
    const findings = await watchBudgets(site, { budgets, keptTags: site.rules.tags, untilMs })
    return findings.length
  })
}

const bookAndClose = async (doors: MoneyDoors): Promise<number> => {
  const { lake, log, money, logger } = doors
  const nowMs = Date.now()
  const head = await lake.head()
  const closedUntilMs = openFrom(head, await eventPartitions(log), nowMs)
  if (closedUntilMs === null) return 0
  // A day that goes on would be booked anew with every hour.
  const untilMs = Math.floor(closedUntilMs / DAY_MS) * DAY_MS
  const isDue = dueDays(head, untilMs).length > 0
  if (!isDue && money.clock === null) return 0
  return withSite(doors, async (site) => {
    const { books, rules } = site
    const days = await bookDue(site, { books, tags: rules.tags, untilMs })
    if (days > 0) logger.info({ days }, 'booked')
    if (money.clock === null) return days
    const how = { books, rules, closedUntilMs, nowMs, clock: money.clock }
    for (const { month, closed, checks } of await closeByClock(site, how))
      logger.info({ month, closed, checks }, closed ? 'closed' : 'not closed')
    return days
  })
}

/** A file that is being written while it is read is read again at the next poke. */
const withSite = async <T>(
  { place, money }: MoneyDoors,
  work: (site: ChargeSite) => Promise<T>
): Promise<T> => {
  const { contracts, rules } = money
  const site = await openSite({
    ...place,
    ...(contracts === undefined ? {} : { contracts }),
    ...(rules === undefined ? {} : { rules })
  })
  try {
    return await work(site)
  } finally {
    site.close()
  }
}

const openSite: typeof openChargeSite = async (options) => {
  try {
    return await openChargeSite(options)
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.retriable) throw cause
    const { code, message, hint } = cause
    throw new Failure(code, message, {
      retriable: true,
      cause,
      ...(hint === undefined ? {} : { hint })
    })
  }
}
