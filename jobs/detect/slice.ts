import type { Columns, Grain, GrainInput } from '../../services/signals/define.ts'
import type { DetectSource, Relations } from './source.ts'

/**
 * Reads one grain of one signal for a stretch of time as columns. The text keys of the series are
 * joined to small numbers inside the database, so that no string is ever made per row.
 */

export type GrainReader = {
  /** Rows in [fromMs, toMs), ordered by minute, the declared order and the series. */
  read: (fromMs: number, toMs: number) => Promise<GrainRows>
}

/** Rows of a stretch; `startMs` says the minute of each. */
export type GrainRows = { startMs: Float64Array; columns: Columns }

const RELATION_OF: Readonly<Record<Grain, keyof Relations>> = {
  window: 'windows',
  prefixes: 'prefixes',
  traces: 'events'
}

export type GrainQuery = {
  /** Unique in the session: names the temporary tables. */
  name: string
  grain: Grain
  sql: string
  input: GrainInput
}

/** Null when the relation that the grain reads isn't there. */
export const openGrain = async (
  source: DetectSource,
  relations: Relations,
  query: GrainQuery
): Promise<GrainReader | null> => {
  const relation = relations[RELATION_OF[query.grain]]
  if (relation === undefined) return null
  const keys: (string | null)[][] = []
  const keyColumns = query.input.keys.map((key) => `${key} VARCHAR`).join(', ')
  await source.run(
    `CREATE OR REPLACE TEMP TABLE keys_${query.name} (series INTEGER, ${keyColumns})`
  )
  return {
    read: async (fromMs, toMs) => {
      await source.run(sliceSql(query, relation, [fromMs, toMs]))
      await source.run(newKeysSql(query))
      await readKeys(source, query, keys)
      return readRows(source, query, keys)
    }
  }
}

const timestamp = (ms: number): string => `TIMESTAMPTZ '${new Date(ms).toISOString()}'`

const sliceSql = (query: GrainQuery, relation: string, [from, to]: [number, number]): string => {
  const name = RELATION_OF[query.grain]
  const time = query.grain === 'traces' ? 'time' : 'window_start'
  const { keys, measures, texts = [] } = query.input
  const columns = [
    'epoch_ms(window_start)::DOUBLE AS start_ms',
    ...keys.map((key) => `${key}::VARCHAR AS ${key}`),
    ...measures.map((column) => `coalesce(${column}::DOUBLE, 'nan'::DOUBLE) AS ${column}`),
    ...texts.map((column) => `${column}::VARCHAR AS ${column}`)
  ]
  return `CREATE OR REPLACE TEMP TABLE slice_${query.name} AS
WITH ${name} AS (
  SELECT * FROM ${relation} WHERE ${time} >= ${timestamp(from)} AND ${time} < ${timestamp(to)}
)
SELECT ${columns.join(', ')} FROM (${withoutEnd(query.sql)})`
}

const withoutEnd = (sql: string): string => `${sql.trimEnd().replace(/;$/, '')}\n`

const sameKeys = (keys: readonly string[]): string =>
  keys.map((key) => `s.${key} IS NOT DISTINCT FROM k.${key}`).join(' AND ')

/** Series are numbered as they are first seen, so slicing time otherwise changes no number. */
const newKeysSql = ({ name, input }: GrainQuery): string => {
  const keys = input.keys.join(', ')
  return `INSERT INTO keys_${name}
SELECT (SELECT count(*) FROM keys_${name}) + row_number() OVER (ORDER BY first, ${keys}) - 1, ${keys}
FROM (
  SELECT ${input.keys.map((key) => `s.${key}`).join(', ')}, min(start_ms) AS first
  FROM slice_${name} s ANTI JOIN keys_${name} k ON ${sameKeys(input.keys)}
  GROUP BY ALL
)`
}

const readKeys = async (
  source: DetectSource,
  { name, input }: GrainQuery,
  keys: (string | null)[][]
): Promise<void> => {
  const sql = `SELECT ${input.keys.join(', ')} FROM keys_${name} WHERE series >= ${keys.length} ORDER BY series`
  for await (const chunk of source.columns(sql)) {
    for (let row = 0; row < chunk.rows; row++) {
      keys.push(input.keys.map((key) => textAt(chunk.columns[key], row)))
    }
  }
}

const textAt = (
  column: Float64Array | readonly (string | null)[] | undefined,
  row: number
): string | null => {
  const value = column?.[row]
  return typeof value === 'string' ? value : null
}

const readRows = async (
  source: DetectSource,
  query: GrainQuery,
  keys: (string | null)[][]
): Promise<GrainRows> => {
  const { name, input } = query
  const rows = await countRows(source, name)
  const numbers = ['start_ms', ...input.measures]
  const declared = (input.orderBy ?? []).map((column) => `s.${column}`)
  const order = ['s.start_ms', ...declared, 'k.series']
  const select = [...numbers, ...(input.texts ?? [])].map((column) => `s.${column}`)
  const sql = `SELECT k.series::DOUBLE AS series, ${select.join(', ')}
FROM slice_${name} s JOIN keys_${name} k ON ${sameKeys(input.keys)}
ORDER BY ${order.join(', ')}`
  const measures = Object.fromEntries(numbers.map((column) => [column, new Float64Array(rows)]))
  const texts = Object.fromEntries(
    (input.texts ?? []).map((column) => [column, [] as (string | null)[]])
  )
  const series = new Int32Array(rows)
  let filled = 0
  for await (const chunk of source.columns(sql)) {
    series.set(numbersOf(chunk.columns['series']), filled)
    for (const column of numbers) {
      measures[column]?.set(numbersOf(chunk.columns[column]), filled)
    }
    for (const [column, values] of Object.entries(texts)) {
      for (let row = 0; row < chunk.rows; row++) values.push(textAt(chunk.columns[column], row))
    }
    filled += chunk.rows
  }
  const startMs = measures['start_ms'] ?? new Float64Array(0)
  return { startMs, columns: { rows, series, keys, measures, texts } }
}

const NO_NUMBERS = new Float64Array(0)
const numbersOf = (column: Float64Array | readonly (string | null)[] | undefined): Float64Array =>
  column instanceof Float64Array ? column : NO_NUMBERS

const countRows = async (source: DetectSource, name: string): Promise<number> => {
  for await (const chunk of source.columns(`SELECT count(*)::DOUBLE AS n FROM slice_${name}`)) {
    return numbersOf(chunk.columns['n'])[0] ?? 0
  }
  return 0
}
