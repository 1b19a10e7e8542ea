import { Failure } from '../../schemas/failure.ts'
import type { Columns, Grain, GrainInput } from '../../services/signals/define.ts'
import {
  createIdentityMap,
  getIdentity,
  setIdentity,
  type IdentityMap
} from '../../services/signals/statistics/identity-map.ts'
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
  /** Names the grain where something is wrong with it. */
  name: string
  grain: Grain
  sql: string
  input: GrainInput
}

/**
 * Series of one reader: codes by hash, and the keys that each stands for; and the memory that its
 * rows are read into, which are folded before the next are read.
 */
type Series = {
  codes: IdentityMap
  keys: (readonly (string | null)[])[]
  memory: Map<string, Float64Array>
}

/** Null when the relation that the grain reads isn't there. */
export const openGrain = async (
  source: DetectSource,
  relations: Relations,
  query: GrainQuery,
  intern: Intern = createIntern()
): Promise<GrainReader | null> => {
  const relation = relations[RELATION_OF[query.grain]]
  if (relation === undefined) return null
  const series: Series = { codes: createIdentityMap(), keys: [], memory: new Map() }
  return {
    read: async (fromMs, toMs) => {
      const select = (columns: readonly string[]): string =>
        sliceSql(query, relation, { columns, fromMs, toMs })
      const known = series.keys.length
      const rows = await readRows(source, query.input, { select, series })
      // What is new is asked for again, since there is little of it once all series were seen.
      if (series.codes.size > known) {
        await readKeys(source, query, { ...series, known, intern, select })
      }
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

/** Some columns of a grain's statement over a stretch of time. */
type Select = (columns: readonly string[]) => string

const sliceSql = (
  { grain, sql }: GrainQuery,
  relation: string,
  { columns, fromMs, toMs }: { columns: readonly string[]; fromMs: number; toMs: number }
): string => {
  const name = RELATION_OF[grain]
  const time = grain === 'traces' ? 'time' : 'window_start'
  return `WITH ${name} AS (
  SELECT * FROM ${relation} WHERE ${time} >= ${timestamp(fromMs)} AND ${time} < ${timestamp(toMs)}
)
SELECT ${columns.join(', ')} FROM (${withoutEnd(sql)})`
}

const withoutEnd = (sql: string): string => `${sql.trimEnd().replace(/;$/, '')}\n`

const hashSql = (columns: readonly string[]): string =>
  `(hash(${columns.map((column) => `${column}::VARCHAR`).join(', ')}) >> ${HASH_SHIFT})::DOUBLE`

const seriesHash = ({ keys }: GrainInput): string => `${hashSql(keys)} AS series_hash`

/** A column may be read as a text as well. */
const identityName = (column: string): string => `${column}_identity`

const readRows = async (
  source: DetectSource,
  input: GrainInput,
  { select, series }: { select: Select; series: Series }
): Promise<GrainRows> => {
  const { measures, identities = [], texts = [], orderBy = [] } = input
  const columns = [
    'epoch_ms(window_start)::DOUBLE AS start_ms',
    seriesHash(input),
    ...measures.map((column) => `coalesce(${column}::DOUBLE, 'nan'::DOUBLE) AS ${column}`),
    ...identities.map(
      (column) =>
        `CASE WHEN ${column} IS NOT NULL THEN ${hashSql([column])} END AS ${identityName(column)}`
    ),
    ...texts.map((column) => `${column}::VARCHAR AS ${column}`)
  ]
  // Rows that the declared order leaves alike must not come as the database pleases; by one hash,
  // since every column to sort by costs as much again.
  const row = `hash(${[...texts, ...identities, ...measures].join(', ')})`
  const order = ['start_ms', ...orderBy, 'series_hash', row]
  const read = await source.whole(`${select(columns)}\nORDER BY ${order.join(', ')}`, series.memory)
  return {
    startMs: read.numbers['start_ms'] ?? NO_NUMBERS,
    columns: {
      rows: read.rows,
      series: numberSeries(read.numbers['series_hash'] ?? NO_NUMBERS, series),
      keys: series.keys,
      measures: {
        ...only(read.numbers, measures),
        ...Object.fromEntries(identities.map((name) => [name, read.numbers[identityName(name)]!]))
      },
      texts: only(read.texts, texts)
    }
  }
}

const NO_NUMBERS = new Float64Array(0)

const only = <Value>(
  all: Readonly<Record<string, Value>>,
  names: readonly string[]
): Record<string, Value> => Object.fromEntries(names.map((name) => [name, all[name]!]))

const numberSeries = (hashes: Float64Array, { codes }: Series): Int32Array => {
  const series = new Int32Array(hashes.length)
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row]!
    const code = getIdentity(codes, hash) ?? codes.size
    if (code === codes.size) setIdentity(codes, hash, code)
    series[row] = code
  }
  return series
}

type New = Omit<Series, 'memory'> & { known: number; intern: Intern; select: Select }

const readKeys = async (
  source: DetectSource,
  { name, input }: GrainQuery,
  { codes, keys, known, intern, select }: New
): Promise<void> => {
  const columns = [seriesHash(input), ...input.keys.map((key) => `${key}::VARCHAR AS ${key}`)]
  const { rows, numbers, texts } = await source.whole(`SELECT DISTINCT * FROM (${select(columns)})`)
  const hashes = numbers['series_hash'] ?? NO_NUMBERS
  for (let row = 0; row < rows; row++) {
    const code = getIdentity(codes, hashes[row]!)
    if (code === undefined || code < known) continue
    if (keys[code] !== undefined) throw collision(name)
    keys[code] = input.keys.map((key) => {
      const text = texts[key]?.at(row) ?? null
      return text === null ? null : intern(text)
    })
  }
}

const collision = (name: string): Failure =>
  new Failure('E_INTERNAL', `two series of ${name} have the same hash`, {
    hint: 'Report it with the names of the series: it happens once in a million runs.'
  })
