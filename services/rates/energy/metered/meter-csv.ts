import { Failure } from '../../../../schemas/failure.ts'
import type { MeterReading, MeterUnit } from './meter-reading.ts'

/**
 * Readings as a table with a header: `time` and `host` (or the host given beside it), `gpu`, and
 * either `value` with `unit` or columns whose name tells the unit (`energy_mj`, as NVML and Zeus
 * count; `power_w`). Energy is a counter that grows, power is of the moment.
 */
const UNITS: Readonly<Record<string, { kind: MeterReading['kind']; unit: MeterUnit }>> = {
  j: { kind: 'energy', unit: 'J' },
  mj: { kind: 'energy', unit: 'mJ' },
  w: { kind: 'power', unit: 'W' },
  mw: { kind: 'power', unit: 'mW' }
}
/** Such as `total_energy_mj`, `energy_j`, `power_w`, `power_draw_w`. */
const VALUE_COLUMN = /^(?:total_)?(energy|power)(?:_draw|_usage|_consumption)?_(j|mj|w|mw)$/

type Named = { name: string; at: number }

/** Throws E_FACTOR_TABLE with the line, for an unknown unit as for a number that is none. */
export const parseMeterCsv = (text: string, host: string | null = null): MeterReading[] => {
  const lines = text.split(/\r?\n/)
  const names = cellsOf(lines[0] ?? '').map((name) => name.toLowerCase())
  const columns = names.map((name, at): Named => ({ name, at }))
  const values = columns.filter(({ name }) => VALUE_COLUMN.test(name))
  const hasUnit = names.includes('value') && names.includes('unit')
  if (values.length === 0 && !hasUnit) {
    throw new Failure('E_FACTOR_TABLE', `meter table has the columns ${names.join(', ')}`, {
      hint: 'Give value and unit, or columns such as energy_mj, energy_j, power_w.'
    })
  }
  return lines.slice(1).flatMap((line, index) => {
    if (line.trim() === '') return []
    const cells = cellsOf(line)
    const row = Object.fromEntries(columns.map(({ name, at }) => [name, cells[at] ?? '']))
    const place = `meter table, line ${index + 2}`
    const common = commonOf(row, { host, place })
    const read = hasUnit
      ? [{ text: row['value'] ?? '', ...unitOf(row['unit'] ?? '', place) }]
      : values.map(({ name }) => ({ text: row[name] ?? '', ...unitOfColumn(name, place) }))
    return read
      .filter(({ text: cell }) => hasUnit || cell !== '')
      .map(({ text: cell, ...unit }) => ({ ...common, ...unit, value: numberOf(cell, place) }))
  })
}

const cellsOf = (line: string): string[] =>
  line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))

const unitOf = (unit: string, place: string) => {
  const found = UNITS[unit.toLowerCase()]
  if (found !== undefined && unit !== 'MJ' && unit !== 'MW') return found
  throw new Failure('E_FACTOR_TABLE', `${place}: the unit "${unit}" is not known`, {
    hint: 'Units are J and mJ of a counter, W and mW of power.'
  })
}

const unitOfColumn = (name: string, place: string) => {
  const [, kind = '', unit = ''] = VALUE_COLUMN.exec(name) ?? []
  const found = unitOf(unit, place)
  if (found.kind === kind) return found
  throw new Failure('E_FACTOR_TABLE', `column ${name} gives ${kind} in a unit of ${found.kind}`)
}

type Place = { host: string | null; place: string }

const first = (row: Readonly<Record<string, string>>, names: readonly string[]): string =>
  names.map((name) => row[name] ?? '').find((cell) => cell !== '') ?? ''

const commonOf = (row: Readonly<Record<string, string>>, { host, place }: Place) => {
  const timeMs = timeOf(first(row, ['time', 'timestamp']), place)
  const named = first(row, ['host', 'hostname']) || (host ?? '')
  if (named === '') throw new Failure('E_FACTOR_TABLE', `${place} names no host`, HOST_HINT)
  const gpuModel = first(row, ['gpu_model', 'model']) || null
  const gpu = first(row, ['gpu_uuid', 'uuid', 'gpu', 'gpu_index'])
  return { host: named, gpu, gpuModel, timeMs }
}

export const HOST_HINT = { hint: 'Give --host NAME, as events name the serving host.' }

/** Seconds of 2001 in milliseconds: what is smaller is counted in seconds. */
const EPOCH_MS_MIN = 1e12

const timeOf = (text: string, place: string): number => {
  const number = Number(text)
  const fromNumber = number < EPOCH_MS_MIN ? number * 1000 : number
  const timeMs = text === '' ? Number.NaN : Number.isNaN(number) ? Date.parse(text) : fromNumber
  if (Number.isFinite(timeMs)) return Math.round(timeMs)
  throw new Failure('E_FACTOR_TABLE', `${place}: the time "${text}" can not be read`, {
    hint: 'Times are RFC 3339, or seconds or milliseconds since the epoch.'
  })
}

const numberOf = (text: string, place: string): number => {
  const value = text === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new Failure('E_FACTOR_TABLE', `${place}: "${text}" is no reading`, {
    hint: 'A reading is a number of at least 0.'
  })
}
