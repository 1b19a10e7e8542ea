import { Failure } from '../../schemas/failure.ts'
import type { Columns, Grain, GrainInput } from '../../services/signals/define.ts'
import type { DetectSource, Relations } from './source.ts'

/**
 * Reads one grain of one signal for a stretch of time as columns. The database hashes the text keys
 * of a series to one number, so that no string is made for a row: a series' keys are read once,
 * when it is first seen.
 */

export type GrainReader = {
  /**
   * Rows in [fromMs, toMs), ordered by minute, the declared order and the hash of the series: the
   * same rows come in the same order wherever reading began, so sums add up to the same bits.
   */
  read: (fromMs: number, toMs: number) => Promise<GrainRows>
}

/** Rows of a stretch; `startMs` says the minute of each. */
export type GrainRows = { startMs: Float64Array; columns: Columns }

export const RELATION_OF: Readonly<Record<Grain, keyof Relations>> = {
  window: 'windows',
  prefixes: 'prefixes',
  traces: 'events'
}

export type GrainQuery = {
  /** Unique in the session: names the temporary table. */
  name: string
  grain: Grain
  sql: string
  input: GrainInput
}

/** Series of one reader: codes by hash, and the keys that each stands for. */
type Series = { codes: Map<number, number>; keys: (readonly (string | null)[])[] }

/** Null when the relation that the grain reads isn't there. */
export const openGrain = async (
  source: DetectSource,
  relations: Relations,
  query: GrainQuery,
  intern: Intern = createIntern()
): Promise<GrainReader | null> => {
  const relation = relations[RELATION_OF[query.grain]]
  if (relation === undefined) return null
  const series: Series = { codes: new Map(), keys: [] }
  return {
    read: async (fromMs, toMs) => {
      await source.run(sliceSql(query, relation, [fromMs, toMs]))
      const known = series.keys.length
      const rows = await readRows(source, query, series)
      if (series.codes.size > known) await readKeys(source, query, { ...series, known, intern })
      // A dozen signals' copies of a busy minute would fill the database's memory.
      await source.run(`DROP TABLE slice_${query.name}`)
      return rows
    }
  }
}

/** The same text for equal texts: ten signals name the same tenants. */
export type Intern = (text: string) => string

export const createIntern = (): Intern => {
  const texts = new Map<string, string>()
  return (text) => {
    const kept = texts.get(text)
    if (kept !== undefined) return kept
    texts.set(text, text)
    return text
  }
}

const timestamp = (ms: number): string => `TIMESTAMPTZ '${new Date(ms).toISOString()}'`

/** Bits of the hash that a DOUBLE holds exactly: of 100,000 series two collide once in 10⁶ runs. */
const HASH_SHIFT = 64 - 53

const sliceSql = (query: GrainQuery, relation: string, [from, to]: [number, number]): string => {
  const name = RELATION_OF[query.grain]
  const time = query.grain === 'traces' ? 'time' : 'window_start'
  const { keys, measures, texts = [] } = query.input
  const unread = unreadOrder(query.input)
  const columns = [
    'epoch_ms(window_start)::DOUBLE AS start_ms',
    `(hash(${keys.map((key) => `${key}::VARCHAR`).join(', ')}) >> ${HASH_SHIFT})::DOUBLE AS series_hash`,
    ...keys.map((key) => `${key}::VARCHAR AS ${key}`),
    ...measures.map((column) => `coalesce(${column}::DOUBLE, 'nan'::DOUBLE) AS ${column}`),
    ...texts.map((column) => `${column}::VARCHAR AS ${column}`),
    ...unread
  ]
  return `CREATE OR REPLACE TEMP TABLE slice_${query.name} AS
WITH ${name} AS (
  SELECT * FROM ${relation} WHERE ${time} >= ${timestamp(from)} AND ${time} < ${timestamp(to)}
)
SELECT ${columns.join(', ')} FROM (${withoutEnd(query.sql)})`
}

/** Columns that only put rows in order. */
const unreadOrder = ({ keys, measures, texts = [], orderBy = [] }: GrainInput): string[] =>
  orderBy.filter((column) => ![...keys, ...measures, ...texts].includes(column))

const withoutEnd = (sql: string): string => `${sql.trimEnd().replace(/;$/, '')}\n`

const readRows = async (
  source: DetectSource,
  { name, input }: GrainQuery,
  known: Series
): Promise<GrainRows> => {
  const rows = await countRows(source, name)
  const numbers = ['start_ms', ...input.measures]
  const words = input.texts ?? []
  // Rows that the declared order leaves alike must not come as the database pleases; by one hash,
  // since every column to sort by costs as much again.
  const row = `hash(${[...words, ...input.measures].join(', ')})`
  const order = ['start_ms', ...(input.orderBy ?? []), 'series_hash', row]
  const sql = `SELECT series_hash, ${[...numbers, ...words].join(', ')} FROM slice_${name}
ORDER BY ${order.join(', ')}`
  const measures = Object.fromEntries(numbers.map((column) => [column, new Float64Array(rows)]))
  const texts = Object.fromEntries(words.map((column) => [column, [] as (string | null)[]]))
  const series = new Int32Array(rows)
  let filled = 0
  for await (const chunk of source.columns(sql)) {
    numberSeries(numbersOf(chunk.columns['series_hash']), known, series.subarray(filled))
    for (const column of numbers) {
      measures[column]?.set(numbersOf(chunk.columns[column]), filled)
    }
    for (const [column, values] of Object.entries(texts)) {
      for (let row = 0; row < chunk.rows; row++) values.push(textAt(chunk.columns[column], row))
    }
    filled += chunk.rows
  }
  const startMs = measures['start_ms'] ?? NO_NUMBERS
  return { startMs, columns: { rows, series, keys: known.keys, measures, texts } }
}

const numberSeries = (hashes: Float64Array, { codes }: Series, series: Int32Array): void => {
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row]!
    const code = codes.get(hash) ?? codes.size
    if (code === codes.size) codes.set(hash, code)
    series[row] = code
  }
}

const readKeys = async (
  source: DetectSource,
  { name, input }: GrainQuery,
  { codes, keys, known, intern }: Series & { known: number; intern: Intern }
): Promise<void> => {
  const sql = `SELECT DISTINCT series_hash, ${input.keys.join(', ')} FROM slice_${name}`
  for await (const chunk of source.columns(sql)) {
    const hashes = numbersOf(chunk.columns['series_hash'])
    for (let row = 0; row < chunk.rows; row++) {
      const code = codes.get(hashes[row]!)
      if (code === undefined || code < known) continue
      if (keys[code] !== undefined) throw collision(name)
      keys[code] = input.keys.map((key) => {
        const text = textAt(chunk.columns[key], row)
        return text === null ? null : intern(text)
      })
    }
  }
}

const collision = (name: string): Failure =>
  new Failure('E_INTERNAL', `two series of ${name} have the same hash`, {
    hint: 'Report it with the names of the series: it happens once in a million runs.'
  })

const textAt = (
  column: Float64Array | readonly (string | null)[] | undefined,
  row: number
): string | null => {
  const value = column?.[row]
  return typeof value === 'string' ? value : null
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
