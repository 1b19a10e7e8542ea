import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Finding } from '../../../schemas/finding.ts'
import type { Head } from '../../../services/lake/commit.ts'
import type { ChargeDoors } from '../ledger.ts'
import { monthAt } from '../month.ts'
import { tellFindings } from '../tell.ts'
import { OpenBudgetAlert, turnBudgets } from './alerts.ts'
import type { Budget } from './budget-file.ts'
import { budgetStandings } from './states.ts'

/**
 * Looks at the budgets every quarter of an hour of event time. The findings, what is open after
 * them and the time looked at are one commit: a restart neither repeats nor loses an alert.
 */

/** Reading the days that are not booked yet costs; a month's budget moves in hours. */
export const STEP_MS = 15 * 60_000

const WATCH_KEY = 'budgets/watch'

const Watched = z.strictObject({
  untilMs: z.number(),
  /** Version of the lake that was read: there the same findings come out again. */
  version: z.int(),
  /** Hash of the budgets: other ones are looked at once, whatever the time. */
  budgets: z.string(),
  open: z.record(z.string(), OpenBudgetAlert)
})
type Watched = z.infer<typeof Watched>

const NEVER: Watched = { untilMs: 0, version: 0, budgets: '', open: {} }

export const watchedBudgets = (head: Head): Watched => {
  const value = head.state.get(WATCH_KEY)
  return value === undefined ? NEVER : Watched.parse(value)
}

export type WatchOptions = {
  budgets: readonly Budget[]
  keptTags: readonly string[]
  /** Event time before which everything is known. */
  untilMs: number
}

/** The time that is looked at next; null = it was looked at already. */
export const dueBudgets = (head: Head, { budgets, untilMs }: WatchOptions): number | null => {
  const { untilMs: last, budgets: known } = watchedBudgets(head)
  const nextMs = Math.max(last, Math.floor(untilMs / STEP_MS) * STEP_MS)
  const isNews = nextMs > last || known !== digestOf(budgets)
  return nextMs > 0 && isNews ? nextMs : null
}

const digestOf = (budgets: readonly Budget[]): string =>
  createHash('sha256')
    .update(
      JSON.stringify(budgets, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value
      )
    )
    .digest('hex')
    .slice(0, 16)

/** What is told at a version of the lake, and what is written down with it. */
export const lookAtBudgets = async (
  doors: ChargeDoors,
  head: Head,
  options: WatchOptions
): Promise<{ findings: Finding[]; watched: Watched } | null> => {
  const untilMs = dueBudgets(head, options)
  if (untilMs === null) return null
  const { budgets, keptTags } = options
  const month = monthAt(untilMs - 1)
  const standings = await budgetStandings(doors, head, { budgets, keptTags, month, untilMs })
  const moment = { untilMs, version: head.version, generation: doors.generation }
  const { findings, open } = turnBudgets(watchedBudgets(head).open, standings, moment)
  const watched = { untilMs, version: head.version, budgets: digestOf(budgets), open }
  return { findings, watched }
}

/** Looks and tells, unless somebody did meanwhile. @returns what was told. */
export const watchBudgets = async (
  doors: ChargeDoors,
  options: WatchOptions
): Promise<Finding[]> => {
  const head = await doors.lake.head()
  const seen = await lookAtBudgets(doors, head, options)
  if (seen === null) return []
  const told = await tellFindings(doors, {
    key: WATCH_KEY,
    before: head.state.get(WATCH_KEY),
    after: seen.watched,
    findings: seen.findings
  })
  return told ? seen.findings : []
}
