import { GRAINS, type GrainInput } from '../../services/signals/define.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import { RELATION_OF } from './slice.ts'
import type { DetectSource, Relations } from './source.ts'
import { MINUTE_MS, minuteOf } from './watermark.ts'

/**
 * One copy in memory of the rows that all signals read for a stretch of time, with the columns that
 * any of them names: files are read once, however many signals there are.
 */
export type Stretch = {
  /** What to give `openDetection` as relations: the copies. */
  relations: Relations
  /**
   * Replaces the copies by the rows of [fromMs, toMs). From the middle of a minute on, events are
   * added to those of the minute that are held, which must be all before; windows are those of all
   * minutes that are touched, and are added to what is held where they are `more`.
   */
  hold: (fromMs: number, toMs: number, windows?: 'all' | 'more') => Promise<void>
}

const TIME: Readonly<Record<keyof Relations, string>> = {
  windows: 'window_start',
  prefixes: 'window_start',
  events: 'time'
}
const NAMES = Object.keys(TIME) as (keyof Relations)[]

export const openStretch = (
  source: DetectSource,
  relations: Relations,
  signals: readonly LoadedSignal[]
): Stretch => {
  const wanted = NAMES.filter(
    (name) => relations[name] !== undefined && sqlOf(signals, name) !== ''
  )
  const copies: Relations = { windows: relations.windows }
  for (const name of wanted) copies[name] = `temp.stretch_${name}`
  return {
    relations: copies,
    hold: async (fromMs, toMs, windows = 'all') => {
      for (const name of wanted) {
        const isPart = name === 'events'
        const isMore = isPart ? fromMs > minuteOf(fromMs) : windows === 'more'
        const [first, end] = isPart ? [fromMs, toMs] : [minuteOf(fromMs), minuteEnd(toMs)]
        const from = relations[name]!
        const columns = namedColumns(
          await columnsOf(source, from),
          sqlOf(signals, name),
          TIME[name]
        )
        const rows = `SELECT ${columns} FROM ${from}
WHERE ${TIME[name]} >= ${timestamp(first)} AND ${TIME[name]} < ${timestamp(end)}`
        await source.copy(
          isMore
            ? `INSERT INTO stretch_${name} BY NAME ${rows}`
            : `CREATE OR REPLACE TEMP TABLE stretch_${name} AS ${rows}`
        )
      }
    }
  }
}

const minuteEnd = (ms: number): number => minuteOf(ms + MINUTE_MS - 1)

const timestamp = (ms: number): string => `TIMESTAMPTZ '${new Date(ms).toISOString()}'`

/** All statements that read a relation, and the names of what they give. */
const sqlOf = (signals: readonly LoadedSignal[], name: keyof Relations): string =>
  GRAINS.filter((grain) => RELATION_OF[grain] === name)
    .flatMap((grain) => signals.map(({ sql, inputs }) => textOf(sql[grain], inputs[grain])))
    .join('\n')
    .trim()

const textOf = (sql = '', input?: GrainInput): string =>
  [
    sql,
    ...(input?.keys ?? []),
    ...(input?.measures ?? []),
    ...(input?.texts ?? []),
    ...(input?.identities ?? [])
  ].join('\n')

/** A pattern takes columns without naming them. */
const PATTERN = /\bcolumns\s*\(/i

const COMMENT = /--[^\n]*/g

/**
 * A column that matters is named by a statement, or by its signal as an input; a star names none,
 * nor does a comment.
 */
const namedColumns = (columns: readonly string[], sql: string, time: string): string => {
  if (PATTERN.test(sql)) return '*'
  const words = new Set(
    sql
      .replace(COMMENT, '')
      .toLowerCase()
      .match(/[a-z_][a-z0-9_]*/g) ?? []
  )
  return columns
    .filter((column) => column === time || words.has(column.toLowerCase()))
    .map((column) => `"${column}"`)
    .join(', ')
}

const columnsOf = async (source: DetectSource, relation: string): Promise<string[]> => {
  const { rows, texts } = await source.whole(
    `SELECT column_name FROM (DESCRIBE SELECT * FROM ${relation})`
  )
  return Array.from({ length: rows }, (_, row) => texts['column_name']?.at(row) ?? '')
}
