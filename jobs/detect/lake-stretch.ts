import { hourKey } from '../../services/lake/settled-hours.ts'
import type { Head, LiveFile } from '../../services/lake/commit.ts'
import type { TableName } from '../../schemas/tables.ts'
import { minuteOf } from './watermark.ts'

/**
 * The head cut down to a stretch of event time: attaching it opens the files of those minutes alone,
 * so that a step costs the same however long the lake's history is. Where it begins in the middle of
 * a minute, only events are cut there.
 */

const HOUR_MS = 3_600_000
const US_PER_MS = 1_000

/** Tables that detection reads, raw and settled. */
const TABLES_READ = [
  'events_raw',
  'events_settled',
  'windows_raw',
  'windows_settled',
  'prefixes_raw',
  'prefixes_settled'
] as const satisfies readonly TableName[]

export const cutHead = (head: Head, fromMs: number, toMs: number): Head => {
  const files = TABLES_READ.map((table): [TableName, Map<string, LiveFile>] => [
    table,
    new Map(
      [...(head.files.get(table) ?? [])].filter(([, file]) =>
        overlaps(file, table.startsWith('events') ? fromMs : minuteOf(fromMs), toMs)
      )
    )
  ])
  const hours: [string, unknown][] = []
  for (let ms = Math.floor(fromMs / HOUR_MS) * HOUR_MS; ms < toMs; ms += HOUR_MS) {
    const hour = head.state.get(hourKey(ms))
    if (hour !== undefined) hours.push([hourKey(ms), hour])
  }
  return { ...head, files: new Map(files), state: new Map(hours) }
}

/** A file without times may hold any. */
const overlaps = ({ timeUsMin, timeUsMax }: LiveFile, fromMs: number, toMs: number): boolean =>
  (timeUsMin ?? -Infinity) < toMs * US_PER_MS && (timeUsMax ?? Infinity) >= fromMs * US_PER_MS

/** Start of the first window that the lake holds, milliseconds; null when it holds none. */
export const firstWindowMs = (head: Head): number | null => {
  const starts = [head.files.get('windows_raw'), head.files.get('windows_settled')].flatMap(
    (files) => [...(files?.values() ?? [])].map(({ timeUsMin }) => timeUsMin ?? Infinity)
  )
  const first = starts.reduce((least, start) => Math.min(least, start), Infinity)
  return Number.isFinite(first) ? first / US_PER_MS : null
}

/** Rows of a cut head that a stretch holds at most, for cutting it into slices. */
export const rowsOf = (head: Head): number => {
  const rows = (name: 'windows' | 'prefixes' | 'events'): number =>
    ([`${name}_raw`, `${name}_settled`] as const)
      .flatMap((table) => [...(head.files.get(table)?.values() ?? [])])
      .reduce((sum, file) => sum + file.rows, 0)
  return Math.max(rows('windows'), rows('prefixes'), rows('events'))
}
