import { Failure } from '../../../schemas/failure.ts'
import type { IntensityBasis, IntensityProvider } from './intensity.ts'

export type HourlyRow = { zone: string; timeMs: number; gramsPerKwh: number; basis: IntensityBasis }

const HOUR_MS = 3_600_000
const HEADER = 'zone,ts,g_per_kwh,basis'

/** Reads `zone,ts,g_per_kwh,basis`; throws E_FACTOR_TABLE with the line that can not be used. */
export const parseHourlyCsv = (csv: string): HourlyRow[] => {
  const [header, ...lines] = csv.trim().split(/\r?\n/)
  if (header?.replaceAll(' ', '') !== HEADER) {
    throw new Failure('E_FACTOR_TABLE', `intensity table starts with "${header ?? ''}"`, {
      hint: `The first line must be ${HEADER}.`
    })
  }
  return lines.filter((line) => line.trim() !== '').map(parseRow)
}

const parseRow = (line: string, index: number): HourlyRow => {
  const [zone = '', time = '', grams = '', basis = ''] = line.split(',').map((cell) => cell.trim())
  const row = { zone, timeMs: Date.parse(time), gramsPerKwh: Number(grams) }
  const usable = zone !== '' && Number.isFinite(row.timeMs) && grams !== '' && row.gramsPerKwh >= 0
  if (usable && (basis === 'location' || basis === 'market')) return { ...row, basis }
  throw new Failure('E_FACTOR_TABLE', `intensity table, line ${index + 2}: "${line}"`, {
    hint: 'Each line holds a zone, an RFC 3339 time, g/kWh of at least 0, and location or market.'
  })
}

/**
 * Intensities by zone and hour from rows that were loaded before. An hour that is missing answers
 * null, so that the next provider is asked; nothing is carried over from the hour before.
 */
export const hourlyIntensity = (id: string, rows: readonly HourlyRow[]): IntensityProvider => {
  const keyOf = (zone: string, timeMs: number, basis: IntensityBasis): string =>
    `${zone}/${Math.floor(timeMs / HOUR_MS)}/${basis}`
  const byHour = new Map(rows.map((row) => [keyOf(row.zone, row.timeMs, row.basis), row]))
  return {
    id,
    intensityAt: ({ zone, timeMs, basis }) => {
      const row = byHour.get(keyOf(zone ?? '', timeMs, basis))
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
