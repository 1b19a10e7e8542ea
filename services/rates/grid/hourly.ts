import { Failure } from '../../../schemas/failure.ts'
import { GRAMS_PER_KWH_MAX, type IntensityBasis, type IntensityProvider } from './intensity.ts'
import { parseRfc3339 } from './rfc3339.ts'

export type HourlyRow = { zone: string; timeMs: number; gramsPerKwh: number; basis: IntensityBasis }

const HOUR_MS = 3_600_000
const COLUMNS = ['zone', 'ts', 'g_per_kwh', 'basis']
const HEADER = COLUMNS.join(',')
/** So much of a line is quoted in a message: a file that is no table may be one long line. */
const QUOTED_MAX = 120

/**
 * Reads `zone,ts,g_per_kwh,basis`; throws E_FACTOR_TABLE with the line that can not be used. A zone
 * has one figure an hour and basis: lines that repeat it are one, lines that contradict it are
 * refused, since nobody knows which of them is meant.
 */
export const parseHourlyCsv = (csv: string): HourlyRow[] => {
  const [header = '', ...lines] = csv.trim().split(/\r?\n/)
  if (header.replaceAll(' ', '') !== HEADER) {
    throw new Failure('E_FACTOR_TABLE', `intensity table starts with "${short(header)}"`, {
      hint: `The first line must be ${HEADER}, and the file plain text.`
    })
  }
  const known = new Map<string, { row: HourlyRow; line: number }>()
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue
    const line = index + 2
    const row = parseRow(text, line)
    const key = keyOf(row)
    const before = known.get(key)
    if (before === undefined) known.set(key, { row, line })
    else if (before.row.gramsPerKwh !== row.gramsPerKwh) throw contradiction(row, before, line)
  }
  if (known.size > 0) return [...known.values()].map(({ row }) => row)
  throw new Failure('E_FACTOR_TABLE', 'the intensity table has a header and no rows', {
    hint: 'Without --intensity annual figures are used.'
  })
}

const short = (text: string): string => text.slice(0, QUOTED_MAX)

const contradiction = (row: HourlyRow, before: { row: HourlyRow; line: number }, line: number) =>
  new Failure(
    'E_FACTOR_TABLE',
    `intensity table, lines ${before.line} and ${line}: ${row.zone} has ${before.row.gramsPerKwh} ` +
      `and ${row.gramsPerKwh} g/kWh (${row.basis}) in the hour of ${new Date(row.timeMs).toISOString()}`,
    { hint: 'Give one figure an hour: the mean of what is finer, and times with their offset.' }
  )

const NUMBER = /^\d+(\.\d+)?(e[+-]?\d+)?$/i

const parseRow = (text: string, line: number): HourlyRow => {
  const cells = text.split(',').map((cell) => cell.trim())
  const [zone = '', time = '', grams = '', basis = ''] = cells
  const timeMs = parseRfc3339(time) ?? Number.NaN
  const gramsPerKwh = NUMBER.test(grams) ? Number(grams) : Number.NaN
  const why =
    cells.length === COLUMNS.length ? faultOf({ zone, timeMs, gramsPerKwh }) : 'not 4 cells'
  if (why === null && (basis === 'location' || basis === 'market')) {
    return { zone, timeMs, gramsPerKwh, basis }
  }
  throw new Failure(
    'E_FACTOR_TABLE',
    `intensity table, line ${line}: ${why ?? 'the basis is neither'}: "${short(text)}"`,
    {
      hint: 'Each line holds a zone, an RFC 3339 time, g/kWh of at least 0, and location or market.'
    }
  )
}

/** What is wrong with a row, in words; NaN is what could not be read. */
const faultOf = ({ zone, timeMs, gramsPerKwh }: Omit<HourlyRow, 'basis'>): string | null => {
  if (zone === '') return 'no zone'
  if (Number.isNaN(timeMs)) return 'the time is none, or tells no offset from UTC'
  if (timeMs % HOUR_MS !== 0) return 'the time is not the start of an hour of UTC'
  if (!(gramsPerKwh >= 0)) return 'the intensity is no number of at least 0'
  return gramsPerKwh <= GRAMS_PER_KWH_MAX
    ? null
    : `no grid emits more than ${GRAMS_PER_KWH_MAX} g/kWh; is it another unit?`
}

const keyOf = ({ zone, timeMs, basis }: Omit<HourlyRow, 'gramsPerKwh'>): string =>
  `${zone}/${Math.floor(timeMs / HOUR_MS)}/${basis}`

/**
 * Intensities by zone and hour from rows that were loaded before. An hour that is missing answers
 * null, so that the next provider is asked; nothing is carried over from the hour before.
 */
export const hourlyIntensity = (id: string, rows: readonly HourlyRow[]): IntensityProvider => {
  const byHour = new Map(rows.map((row) => [keyOf(row), row]))
  return {
    id,
    zones: new Set(rows.map(({ zone }) => zone)),
    intensityAt: ({ zone, timeMs, basis }) => {
      const row = byHour.get(keyOf({ zone: zone ?? '', timeMs, basis }))
      if (row === undefined) return null
      return {
        gramsPerKwh: row.gramsPerKwh,
        zone: row.zone,
        basis,
        resolution: 'hourly',
        source: id,
        substitute: null
      }
    }
  }
}
