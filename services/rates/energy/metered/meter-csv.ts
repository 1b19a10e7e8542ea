import { Failure } from '../../../../schemas/failure.ts'
import { parseRfc3339 } from '../../grid/rfc3339.ts'
import type { MeterReading, MeterText, MeterUnit } from './meter-reading.ts'

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
/** A million times as much to whoever writes units as they are written. */
const MEGA = /^M/
const MEGA_COLUMN = /_M[JWjw]$/

/** Throws E_FACTOR_TABLE with the line, for an unknown unit as for a number that is none. */
export const parseMeterCsv = (text: string, host: string | null = null): MeterText => {
  // A file that is still written, or was cut, may end within a number.
  const end = text.lastIndexOf('\n') + 1
  const lines = text.slice(0, end).split(/\r?\n/)
  const columns = columnsOf(lines[0] ?? '')
  const values = columns.filter((name) => VALUE_COLUMN.test(name))
  const hasUnit = columns.includes('value') && columns.includes('unit')
  if (values.length === 0 && !hasUnit) {
    throw new Failure('E_FACTOR_TABLE', `meter table has the columns ${columns.join(', ')}`, {
      hint: 'The first line names columns: value and unit, or such as energy_mj, energy_j, power_w.'
    })
  }
  let empty = 0
  const readings = lines.slice(1).flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `meter table, line ${index + 2}`
    const row = rowOf(line, columns, place)
    const common = commonOf(row, { host, place })
    const read = hasUnit
      ? [{ cell: row['value'] ?? '', ...unitOf(row['unit'] ?? '', place) }]
      : values.map((name) => ({ cell: row[name] ?? '', ...unitOfColumn(name, place) }))
    const told = read.filter(({ cell }) => hasUnit || cell !== '')
    empty += read.length - told.length
    return told.map(({ cell, ...unit }) => ({ ...common, ...unit, value: numberOf(cell, place) }))
  })
  const ignored = [
    ...(empty > 0 ? [`${empty} empty cells`] : []),
    ...(text.slice(end).trim() === ''
      ? []
      : [`line ${lines.length}, which no line break ends: it may be cut`])
  ]
  return { readings, ignored }
}

const cellsOf = (line: string): string[] =>
  line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))

const columnsOf = (header: string): string[] => {
  const cells = cellsOf(header)
  const mega = cells.find((name) => MEGA_COLUMN.test(name))
  if (mega !== undefined) throw unknownUnit(`column ${mega}`, mega)
  const columns = cells.map((name) => name.toLowerCase())
  const twice = columns.find((name, at) => columns.indexOf(name) !== at)
  if (twice === undefined) return columns
  throw new Failure('E_FACTOR_TABLE', `meter table has two columns ${twice}`)
}

const rowOf = (line: string, columns: readonly string[], place: string): Record<string, string> => {
  const cells = cellsOf(line)
  if (cells.length === columns.length) {
    return Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? '']))
  }
  throw new Failure(
    'E_FACTOR_TABLE',
    `${place} has ${cells.length} cells, and the header ${columns.length}`,
    { hint: 'A cell holds no comma, in quotes or not, and a line that was cut is none.' }
  )
}

const unknownUnit = (place: string, unit: string): Failure =>
  new Failure('E_FACTOR_TABLE', `${place}: the unit "${unit}" is not known`, {
    hint: 'Units are J and mJ of a counter, W and mW of power.'
  })

const unitOf = (unit: string, place: string) => {
  const found = UNITS[unit.toLowerCase()]
  if (found !== undefined && !MEGA.test(unit)) return found
  throw unknownUnit(place, unit)
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
const EPOCH = /^\d+(\.\d+)?(e\+?\d+)?$/i

const timeOf = (text: string, place: string): number => {
  const number = EPOCH.test(text) ? Number(text) : null
  const timeMs =
    number === null ? parseRfc3339(text) : number < EPOCH_MS_MIN ? number * 1000 : number
  if (timeMs !== null) return Math.round(timeMs)
  throw new Failure('E_FACTOR_TABLE', `${place}: the time "${text}" can not be read`, {
    hint: 'Times are RFC 3339 with their offset, or seconds or milliseconds since the epoch.'
  })
}

const NUMBER = /^\+?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i

const numberOf = (text: string, place: string): number => {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(value)) return value
  throw new Failure('E_FACTOR_TABLE', `${place}: "${text}" is no reading`, {
    hint: 'A reading is a number of at least 0, without its unit.'
  })
}
