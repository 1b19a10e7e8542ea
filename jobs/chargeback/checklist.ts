import { formatDollars } from '../../schemas/money.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { billingProvider } from '../../services/rates/prices/billing-names.ts'
import { settledHours } from '../../services/lake/settled-hours.ts'
import { closeOf } from './closes.ts'
import type { Books } from './day-lines.ts'
import { otherwisePriced } from './ledger.ts'
import { DAY_MS, dayName, HOUR_MS, timestampSql, type Month } from './month.ts'

/** One thing to look at before a month is closed. */
export type Check = {
  name: string
  /** False = the month is not closed unless this is signed off; null = only worth knowing. */
  ok: boolean | null
  seen: string
}

/** Checks that keep a month open when they fail. */
export const REFUSING = ['hours', 'gaps'] as const

export type ChecklistOptions = {
  month: Month
  /** All hours before it are closed; null = not known, since the log was never read. */
  closedUntilMs: number | null
  books: Books
}

/**
 * Looks at the month at the attached version of the lake. Wants the tables `month_rows` and
 * `statement_lines`.
 */
export const checklist = async (
  engine: Engine,
  head: Head,
  options: ChecklistOptions
): Promise<Check[]> => [
  await hours(engine, head, options),
  await gaps(engine, options.month),
  await lateEvents(engine),
  await bills(engine, options.month),
  await prices(engine),
  repricing(head, options),
  await unpriced(engine),
  await unallocated(engine),
  await drift(engine)
]

const hours = async (
  engine: Engine,
  head: Head,
  { month, closedUntilMs }: ChecklistOptions
): Promise<Check> => {
  const all = (month.toMs - month.fromMs) / HOUR_MS
  const isIn = (startMs: number): boolean => startMs >= month.fromMs && startMs < month.toMs
  const untilMs = Math.min(month.toMs, closedUntilMs ?? month.fromMs)
  const [row] = await engine.rows(`SELECT count(DISTINCT date_trunc('hour', time)) AS n
    FROM temp.events WHERE provisional AND time >= ${timestampSql(month.fromMs)}
      AND time < ${timestampSql(untilMs)}`)
  const again = [...head.state.keys()].filter(
    (key) => key.startsWith('resettle/') && isIn(Date.parse(key.slice('resettle/'.length)))
  )
  const pending = Number(row?.['n'] ?? 0) + again.length
  const closed = Math.max(0, (untilMs - month.fromMs) / HOUR_MS)
  const withEvents = settledHours(head).filter(({ startMs }) => isIn(startMs)).length
  const done = Math.max(0, closed - pending)
  return {
    name: 'hours',
    ok: done === all,
    seen: `${done}/${all} hours closed and settled, ${withEvents} of them with events${pending > 0 ? `, ${pending} to settle` : ''}`
  }
}

/** A gap begins where reading stood, which may be as long ago as a log keeps records. */
const GAP_REACH_MS = 7 * DAY_MS

const gaps = async (engine: Engine, month: Month): Promise<Check> => {
  const rows =
    await engine.rows(`SELECT count(*) AS n, sum("next" - "first") AS records FROM temp.gaps
    WHERE noticed_after IS NULL OR (noticed_after >= ${timestampSql(month.fromMs - GAP_REACH_MS)}
      AND noticed_after < ${timestampSql(month.toMs + DAY_MS)})`)
  const n = Number(rows[0]?.['n'] ?? 0)
  const records = Number(rows[0]?.['records'] ?? 0)
  return {
    name: 'gaps',
    ok: n === 0,
    seen: n === 0 ? 'none' : `${n} gaps, ${records} records of the log are lost`
  }
}

const lateEvents = async (engine: Engine): Promise<Check> => {
  const [row] = await engine.rows(`SELECT coalesce(sum(late), 0)::BIGINT AS late,
    coalesce(sum(quantity) FILTER (meter LIKE 'calls%'), 0)::BIGINT AS calls FROM temp.month_rows`)
  const [late, calls] = [Number(row?.['late']), Number(row?.['calls'])]
  const part = calls === 0 ? '0' : ((100 * late) / calls).toFixed(3)
  return {
    name: 'late events',
    ok: null,
    seen: `${late} of ${calls} calls came after their hour had closed (${part} %)`
  }
}

const bills = async (engine: Engine, month: Month): Promise<Check> => {
  const used = await engine.rows(`SELECT DISTINCT provider FROM temp.month_rows
    WHERE provider IS NOT NULL AND category = 'usage' AND billed_pico > 0 ORDER BY ALL`)
  const known =
    await engine.rows(`SELECT DISTINCT provider FROM temp.bills WHERE amount_pico IS NOT NULL
    AND bucket_start >= ${timestampSql(month.fromMs)} AND bucket_start < ${timestampSql(month.toMs)}`)
  const billed = new Set(known.map(({ provider }) => provider as string))
  const senders = new Set(used.map(({ provider }) => billingProvider(provider as string)))
  const missing = [...senders].filter((name) => !billed.has(name))
  const seen = `${senders.size - missing.length}/${senders.size} providers have a bill`
  return {
    name: 'bills',
    ok: missing.length === 0 ? true : null,
    seen: missing.length === 0 ? seen : `${seen}; missing: ${missing.join(', ')}`
  }
}

/** The difference that the prices and contracts at booking made to what was metered. */
const prices = async (engine: Engine): Promise<Check> => {
  const [row] = await engine.rows(`SELECT coalesce(sum(metered_pico), 0)::VARCHAR AS metered,
    coalesce(sum(contracted_pico), 0)::VARCHAR AS contracted, coalesce(sum(list_pico), 0)::VARCHAR AS list
    FROM temp.month_rows WHERE category = 'usage'`)
  const of = (name: string): bigint => BigInt((row?.[name] as string | undefined) ?? '0')
  const change = of('contracted') - of('metered')
  return {
    name: 'prices',
    ok: change === 0n ? true : null,
    seen: `metered $${formatDollars(of('metered'))}, by prices and contracts at booking $${formatDollars(of('contracted'))} (${change > 0n ? '+' : ''}${formatDollars(change)}), list $${formatDollars(of('list'))}`
  }
}

/** A day keeps the prices that it was booked by until it is re-priced on purpose. */
const repricing = (head: Head, { month, books }: ChecklistOptions): Check => {
  const days =
    closeOf(head, month.name) === null
      ? otherwisePriced(head, month.toMs, books).filter(({ dayMs }) => dayMs >= month.fromMs)
      : []
  const [first, last] = [days[0], days.at(-1)].map((day) => dayName(day?.dayMs ?? 0))
  return {
    name: 'repricing',
    ok: days.length === 0 ? true : null,
    seen:
      days.length === 0
        ? 'every booked day has the prices and contracts of now'
        : `${days.length} days, ${first} to ${last}, were booked by other prices or contracts; tally prices reprice --month ${month.name} shows the difference, --apply books it`
  }
}

const unpriced = async (engine: Engine): Promise<Check> => {
  const rows = await engine.rows(`SELECT item, sum(quantity)::BIGINT AS n FROM temp.statement_lines
    WHERE section = 'unpriced' GROUP BY ALL ORDER BY n DESC, item LIMIT 5`)
  return {
    name: 'unpriced',
    ok: rows.length === 0 ? true : null,
    seen:
      rows.length === 0
        ? 'none'
        : rows.map(({ item, n }) => `${String(item)} ${String(n)}`).join(', ')
  }
}

const unallocated = async (engine: Engine): Promise<Check> => {
  const [row] =
    await engine.rows(`SELECT coalesce(sum(cents) FILTER (tenant IS NULL), 0)::BIGINT AS cents,
    coalesce(sum(cents), 0)::BIGINT AS bill FROM temp.statement_lines WHERE section = ${quoted('total')}`)
  const [cents, bill] = [Number(row?.['cents']), Number(row?.['bill'])]
  const part = bill === 0 ? '0' : ((100 * cents) / bill).toFixed(2)
  return {
    name: 'unallocated',
    ok: cents === 0 ? true : null,
    seen: `$${(cents / 100).toFixed(2)} (${part} %)`
  }
}

const drift = async (engine: Engine): Promise<Check> => {
  const rows = await engine.rows(`SELECT provider, sum(local_tokens)::BIGINT AS local,
    sum(reported_tokens)::BIGINT AS reported FROM temp.month_rows
    WHERE local_tokens > 0 GROUP BY provider ORDER BY provider`)
  const told = rows.map(({ provider, local, reported }) => {
    const part = 100 * (Number(reported) / Number(local) - 1)
    return `${String(provider)} ${part >= 0 ? '+' : ''}${part.toFixed(1)} %`
  })
  return {
    name: 'drift',
    ok: null,
    seen: told.length === 0 ? 'no local counts' : `reported against local input: ${told.join(', ')}`
  }
}
