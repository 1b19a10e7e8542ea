import { RANGE_COLUMNS } from '../../schemas/tables.ts'
import type { Commit, Range } from './commit.ts'

/**
 * Writes the rows of a SELECT into a new Parquet file, in their order. The engine provides it; the
 * file need not be fsynced.
 */
export type ParquetWriter = (select: string, localPath: string) => Promise<void>

/** Quotes text for SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** SELECT of the rows of `ranges` that one commit adds. */
export const rangesSelect = (commit: Pick<Commit, 'ranges' | 'generation'>): string => {
  const names = RANGE_COLUMNS.map(({ name }) => `"${name}"`).join(', ')
  const rows = commit.ranges.map((range) => `(${rowLiterals(range, commit.generation)})`)
  const casts = RANGE_COLUMNS.map(({ name, type }) => `"${name}"::${type} AS "${name}"`).join(', ')
  return `SELECT ${casts} FROM (VALUES ${rows.join(', ')}) AS ranges(${names})`
}

const rowLiterals = (range: Range, generation: string): string => {
  const values: Record<string, string | number | null> = {
    topic: range.topic,
    partition: range.partition,
    incarnation: range.incarnation,
    first: range.first,
    next: range.next,
    anchor_offset: range.anchor?.offset ?? null,
    anchor_crc32c: range.anchor?.crc32c ?? null,
    appended_until: isoTime(range.appendedUntilMs),
    watermark: isoTime(range.watermarkMs),
    generation
  }
  return RANGE_COLUMNS.map(({ name }) => literal(values[name] ?? null)).join(', ')
}

const isoTime = (timeMs: number | null): string | null =>
  timeMs === null ? null : new Date(timeMs).toISOString()

const literal = (value: string | number | null): string => {
  if (value === null) return 'NULL'
  return typeof value === 'number' ? String(value) : quoted(value)
}
