import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import { MONTH_CLOSE_SIGNAL } from '../../schemas/incidents.ts'
import { formatDollars } from '../../schemas/money.ts'
import type { Head } from '../../services/lake/commit.ts'
import { REFUSING, type Check } from './checklist.ts'
import { closeMonth, standing, type CloseOptions, type Standing } from './close.ts'
import { closedMonths } from './closes.ts'
import { settledDays, type ChargeDoors } from './ledger.ts'
import { DAY_MS, monthAt, parseMonth, type Month } from './month.ts'
import { tellFindings } from './tell.ts'

/**
 * Closing by the clock. From a day of the next month on the checklist of a month is looked at: by
 * default it is told, as a finding that ends when the month is closed by hand; where that is asked
 * for, a month that passes is closed. What was done and told is read from the lake, so a poke that
 * is doubled, late or cut off changes nothing.
 */

export type CloseClock = {
  /** Day of the next month, from 1. */
  day: number
  /** Whether to freeze a month that nothing stands against. */
  freeze: boolean
}

const TELL_KEY = 'month-close/told'
/** Months whose finding is open, and what it says. */
const Told = z.record(z.string(), z.string()).catch({})

export type ClockOptions = Omit<CloseOptions, 'month'> & { clock: CloseClock; nowMs: number }

export type ClockReport = { month: string; closed: boolean; checks: Check[] }

/** @returns what became of the months that were due, oldest first. */
export const closeByClock = async (
  doors: ChargeDoors,
  options: ClockOptions
): Promise<ClockReport[]> => {
  const head = await doors.lake.head()
  const before = head.state.get(TELL_KEY)
  const told = Told.parse(before)
  const reports: ClockReport[] = []
  const findings: Finding[] = []
  const open: Record<string, string> = {}
  for (const month of dueMonths(head, told, options)) {
    const { found, closed } = await lookAt(doors, month, options)
    reports.push({ month: month.name, closed, checks: found.checks })
    if (closed) continue
    open[month.name] = said(found.checks)
    if (open[month.name] !== told[month.name])
      findings.push(firing(month, found, { doors, options }))
    // Corrections go to the month after the last closed one: a later month waits for an earlier.
    if (options.clock.freeze) break
  }
  const closed = closedMonths(await doors.lake.head())
  for (const [name, what] of Object.entries(told)) {
    if (closed.includes(name)) findings.push(resolved(parseMonth(name), { doors, options }))
    else open[name] ??= what
  }
  if (findings.length > 0)
    await tellFindings(doors, { key: TELL_KEY, before, after: open, findings })
  return reports
}

/**
 * Months with settled hours that are over since so many days and not closed, oldest first: those
 * after the last closed one, and those told of. Of a lake in which none was ever closed, the last.
 */
const dueMonths = (
  head: Head,
  told: Readonly<Record<string, string>>,
  { clock, nowMs }: ClockOptions
): Month[] => {
  const closed = closedMonths(head)
  const names = new Set(settledDays(head, nowMs).map(({ dayMs }) => monthAt(dayMs).name))
  const due = [...names]
    .filter((name) => !closed.includes(name))
    .toSorted()
    .map(parseMonth)
    .filter((month) => nowMs >= dueMs(month, clock))
  const last = closed.at(-1) ?? due.at(-2)?.name ?? ''
  return due.filter(({ name }) => name > last || told[name] !== undefined)
}

const dueMs = ({ toMs }: Month, { day }: CloseClock): number => toMs + (day - 1) * DAY_MS

const lookAt = async (
  doors: ChargeDoors,
  month: Month,
  { clock, nowMs, ...how }: ClockOptions
): Promise<{ found: Standing; closed: boolean }> => {
  if (clock.freeze) {
    try {
      const signOff = { checks: [], by: null }
      return { found: await closeMonth(doors, { ...how, month, signOff, nowMs }), closed: true }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'E_CLOSE_REFUSED') throw error
    }
  }
  return { found: await standing(doors, await doors.lake.head(), { ...how, month }), closed: false }
}

const failed = (checks: readonly Check[]): Check[] =>
  checks.filter(({ name, ok }) => ok === false && (REFUSING as readonly string[]).includes(name))

/** What a finding says, as far as another one would be news. */
const said = (checks: readonly Check[]): string =>
  failed(checks)
    .map(({ name }) => name)
    .join(',') || 'ready'

type Around = { doors: ChargeDoors; options: ClockOptions }

const firing = (month: Month, { checks, totals }: Standing, around: Around): Finding => {
  const against = failed(checks)
  const bill = `bill $${formatDollars(totals.billPico)}`
  return {
    ...common(month, around),
    status: 'firing',
    severity: against.length === 0 ? 'info' : 'warning',
    summary:
      against.length === 0
        ? `${month.name} can be closed: ${bill}. Look at the checklist, then tally close ${month.name}.`
        : `${month.name} can not be closed: ${against.map(({ name, seen }) => `${name}: ${seen}`).join('; ')}.`,
    after: Object.fromEntries(checks.map(({ name, seen }) => [name.replaceAll(' ', '_'), seen]))
  }
}

const resolved = (month: Month, around: Around): Finding => ({
  ...common(month, around),
  status: 'resolved',
  severity: 'info',
  summary: `${month.name} is closed.`,
  after: {}
})

const common = (
  month: Month,
  { doors, options }: Around
): Omit<Finding, 'status' | 'severity' | 'summary' | 'after'> => {
  // The time that it was due at, not the clock's: a replay says the same.
  const at = new Date(dueMs(month, options.clock)).toISOString()
  return {
    signal: MONTH_CLOSE_SIGNAL,
    fingerprint: `${MONTH_CLOSE_SIGNAL}/${month.name}`,
    tenant: null,
    scope: { month: month.name },
    axis: null,
    started_at: at,
    detected_at: at,
    before: {},
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: [],
    runbook: `jobs/alert/runbooks/${MONTH_CLOSE_SIGNAL}.md`,
    query: `SELECT tenant, sum(billed_pico) / 1e12 AS usd FROM charges WHERE month = '${month.name}' GROUP BY tenant ORDER BY tenant`,
    generation: doors.generation
  }
}
