import { Failure } from '../../schemas/failure.ts'
import { formatUsd } from '../../schemas/money.ts'
import type { Commit, Head } from '../../services/lake/commit.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { closedMonths } from './closes.ts'
import type { Books, LineOptions } from './day-lines.ts'
import {
  addDays,
  BOOKING_KEY,
  bookedState,
  headOf,
  isBooked,
  landBatch,
  nextBooking,
  otherwisePriced,
  settledDays,
  startBatch,
  type ChargeDoors,
  type DueDay
} from './ledger.ts'
import { dayName, monthAt, timestampSql } from './month.ts'

/**
 * Prices booked days again by other books. The difference is shown first; applied, it is booked
 * beside what was booked before, so both stay: as charged then, and as corrected. Events keep the
 * price that they were metered at.
 */

export type RepricedLine = {
  provider: string | null
  model: string | null
  meter: string
  charged_usd: string
  repriced_usd: string
  difference_usd: string
}

export type Repriced = {
  days: number
  first_day: string | null
  last_day: string | null
  charged_usd: string
  repriced_usd: string
  difference_usd: string
  /** Closed months whose difference is a correction on an open one. */
  corrects: string[]
  lines: RepricedLine[]
  /** Number of the booking that holds the difference; null = nothing was booked. */
  booking: number | null
}

export type RepriceOptions = LineOptions & {
  fromMs: number
  /** Exclusive. */
  toMs: number
  isApplied: boolean
}

/** @throws Failure E_USAGE where days have events that no booking holds yet. */
export const reprice = async (doors: ChargeDoors, options: RepriceOptions): Promise<Repriced> => {
  const { fromMs, toMs, isApplied, ...lines } = options
  for (;;) {
    const head = await doors.lake.head()
    const days = settledDays(head, toMs).filter(({ dayMs }) => dayMs >= fromMs)
    refuseUnbooked(head, days)
    await startBatch(doors.engine)
    if (days.length > 0) await addDays(doors, head, { days, ...lines })
    const found = await differenceOf(doors, head, days)
    // Where nothing differs there is still to write down by which prices that is so.
    const isNews = found.lines.length > 0 || otherwisePriced(head, toMs, lines.books).length > 0
    if (!isApplied || !isNews) return { ...found, booking: null }
    if (!(await book(doors, head, { days, books: lines.books }))) continue
    return { ...found, booking: found.lines.length > 0 ? nextBooking(head) : null }
  }
}

/** A difference would mix new events with new prices. */
const refuseUnbooked = (head: Head, days: readonly DueDay[]): void => {
  const open = days.filter((day) => !isBooked(head, day))
  if (open.length === 0) return
  const names = open.map(({ dayMs }) => dayName(dayMs)).join(', ')
  throw new Failure('E_USAGE', `${open.length} days are not booked as they stand: ${names}`, {
    hint: 'tally export focus --data DIR books what is due.'
  })
}

const differenceOf = async (
  doors: ChargeDoors,
  head: Head,
  days: readonly DueDay[]
): Promise<Omit<Repriced, 'booking'>> => {
  await attach(doors, headOf(head, ['charges']))
  const times = days.map(({ dayMs }) => timestampSql(dayMs)).join(', ')
  const booked = days.length === 0 ? 'false' : `charge_start IN (${times}) AND category = 'usage'`
  const rows = await doors.engine.rows(`SELECT provider, model, meter,
      coalesce(sum(billed_pico) FILTER (NOT fresh), 0)::VARCHAR AS charged,
      coalesce(sum(billed_pico) FILTER (fresh), 0)::VARCHAR AS difference
    FROM (SELECT provider, model, meter, billed_pico, false AS fresh FROM temp.charges WHERE ${booked}
      UNION ALL SELECT provider, model, meter, billed_pico, true FROM temp.batch)
    GROUP BY ALL ORDER BY provider, model, meter`)
  const read = rows.map((row) => ({
    provider: (row['provider'] as string | null) ?? null,
    model: (row['model'] as string | null) ?? null,
    meter: row['meter'] as string,
    charged: BigInt(row['charged'] as string),
    difference: BigInt(row['difference'] as string)
  }))
  const closed = closedMonths(head)
  const months = new Set(days.map(({ dayMs }) => monthAt(dayMs).name))
  return {
    days: days.length,
    first_day: days[0] === undefined ? null : dayName(days[0].dayMs),
    last_day: days.length === 0 ? null : dayName(days.at(-1)?.dayMs ?? 0),
    ...dollars(
      read.reduce((sum, { charged }) => sum + charged, 0n),
      read.reduce((sum, { difference }) => sum + difference, 0n)
    ),
    corrects: closed.filter((name) => months.has(name)),
    lines: read.flatMap(({ charged, difference, ...place }) =>
      difference === 0n ? [] : [{ ...place, ...dollars(charged, difference) }]
    )
  }
}

const dollars = (charged: bigint, difference: bigint) => ({
  charged_usd: formatUsd(charged),
  repriced_usd: formatUsd(charged + difference),
  difference_usd: formatUsd(difference)
})

/** False when somebody booked in between. */
const book = async (
  doors: ChargeDoors,
  head: Head,
  { days, books }: { days: readonly DueDay[]; books: Books }
): Promise<boolean> => {
  const file = await landBatch(doors)
  const version = await doors.lake.commit((now): Commit | null => {
    if (now.state.get(BOOKING_KEY) !== head.state.get(BOOKING_KEY)) return null
    const adds = file === null ? [] : [file]
    const state = bookedState(head, days, books)
    return { kind: 'charge', generation: doors.generation, ranges: [], adds, removes: [], state }
  })
  return version !== null
}
