import type { TableName } from '../../schemas/tables.ts'
import type { Head, LiveFile } from '../../services/lake/commit.ts'

/**
 * Of which files the windows of an open minute are in memory already: they are copied with the parts
 * of the minute that are folded before it closes, and the close, on which somebody waits, copies what
 * landed since.
 */
export type HeldWindows = {
  /**
   * What is to be copied of a head that is cut to a minute, or a part of it, and whether that is added
   * to what is held. Whoever asks copies it.
   */
  take: (cut: Head, minuteMs: number) => { rest: Head; isMore: boolean }
  /** What is held is about to be replaced. */
  drop: () => void
}

const TABLES_HELD = [
  'windows_raw',
  'windows_settled',
  'prefixes_raw',
  'prefixes_settled'
] as const satisfies readonly TableName[]

type Held = { minuteMs: number; hours: string; paths: ReadonlySet<string> }

export const openHeldWindows = (): HeldWindows => {
  let held: Held | null = null
  return {
    take: (cut, minuteMs) => {
      const now: Held = { minuteMs, hours: hoursOf(cut), paths: pathsOf(cut) }
      const before = held
      held = now
      return before !== null && isPartOf(before, now)
        ? { rest: without(cut, before.paths), isMore: true }
        : { rest: cut, isMore: false }
    },
    drop: () => {
      held = null
    }
  }
}

const filesOf = (head: Head, table: TableName): [string, LiveFile][] => [
  ...(head.files.get(table) ?? [])
]

const nameOf = (table: TableName, path: string): string => `${table}/${path}`

const pathsOf = (head: Head): Set<string> =>
  new Set(TABLES_HELD.flatMap((table) => filesOf(head, table).map(([path]) => nameOf(table, path))))

/** Through which version hours are settled: rows of files count or not by that. */
const hoursOf = ({ state }: Head): string => JSON.stringify([...state])

const isPartOf = (before: Held, now: Held): boolean =>
  before.minuteMs === now.minuteMs &&
  before.hours === now.hours &&
  [...before.paths].every((path) => now.paths.has(path))

const without = (head: Head, paths: ReadonlySet<string>): Head => {
  const files = new Map(head.files)
  for (const table of TABLES_HELD) {
    const rest = filesOf(head, table).filter(([path]) => !paths.has(nameOf(table, path)))
    files.set(table, new Map(rest))
  }
  return { ...head, files }
}
