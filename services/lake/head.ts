import type { TableName } from '../../schemas/tables.ts'
import type { Commit, Head, LiveFile, Range } from './commit.ts'

/** A commit as the log holds it. */
export type Entry = {
  version: number
  /** When it was made, by its writer's clock; never less than that of the commit before. */
  timestampMs: number
  /** Unlike any other attempt, so that a writer knows its own commit again. */
  attempt: string
  /** Attempt that made the version before: the log is a chain, and a fork shows. */
  parent: string
  commit: Commit
}

/** A file that is no longer live but may still be read at an earlier version. */
export type Tombstone = { table: TableName; path: string; version: number; removedMs: number }

/** The head and what is needed to go on folding. */
export type Fold = {
  head: Head
  /** Of the last commit. */
  attempt: string
  timestampMs: number
  /** By `table/path`, oldest first. */
  tombstones: ReadonlyMap<string, Tombstone>
}

/** Versions younger than this stay readable: the default of Delta's own tombstones. */
export const VERSION_AGE_MS_MAX = 7 * 24 * 60 * 60 * 1000

/**
 * State under which retaining writes down that files removed before a time, in milliseconds, are
 * gone. So the clock of that one job decides, and not that of any writer.
 */
export const RETAINED_STATE = 'retained'

export const EMPTY_FOLD: Fold = {
  head: { version: -1, positions: new Map(), files: new Map(), state: new Map() },
  attempt: '',
  timestampMs: 0,
  tombstones: new Map()
}

export const positionKey = (range: { topic: string; partition: number }): string =>
  `${range.topic}/${range.partition}`

export const fileKey = (file: { table: string; path: string }): string =>
  `${file.table}/${file.path}`

/**
 * Folds commits, in order, into the state before them. Pure: what was handed out before stays as
 * it is; only the maps that change are copied, once per call.
 */
export const foldEntries = (before: Fold, entries: readonly Entry[]): Fold => {
  if (entries.length === 0) return before
  const draft = new Draft(before)
  for (const entry of entries) draft.apply(entry)
  return draft.finish()
}

class Draft {
  private readonly before: Fold
  private readonly positions: Map<string, Range>
  private readonly files: Map<TableName, ReadonlyMap<string, LiveFile>>
  private readonly copied = new Map<TableName, Map<string, LiveFile>>()
  private state: Map<string, unknown> | null = null
  private tombstones: Map<string, Tombstone> | null = null
  private version: number
  private attempt: string
  private timestampMs: number

  constructor(before: Fold) {
    this.before = before
    this.positions = new Map(before.head.positions)
    this.files = new Map(before.head.files)
    this.version = before.head.version
    this.attempt = before.attempt
    this.timestampMs = before.timestampMs
  }

  apply(entry: Entry): void {
    this.version = entry.version
    this.attempt = entry.attempt
    this.timestampMs = entry.timestampMs
    for (const range of entry.commit.ranges) this.positions.set(positionKey(range), range)
    for (const removed of entry.commit.removes) this.remove(removed, entry)
    for (const added of entry.commit.adds) {
      const { version, timestampMs: committedMs } = entry
      this.table(added.table).set(added.path, { ...added, version, committedMs })
    }
    for (const [key, value] of Object.entries(entry.commit.state)) this.setState(key, value)
  }

  finish(): Fold {
    // A table without files is none: a head that was saved tells of files alone.
    const files = new Map([...this.files].filter(([, byPath]) => byPath.size > 0))
    return {
      head: {
        version: this.version,
        positions: this.positions,
        files,
        state: this.state ?? this.before.head.state
      },
      attempt: this.attempt,
      timestampMs: this.timestampMs,
      tombstones: this.tombstones ?? this.before.tombstones
    }
  }

  private remove(file: { table: TableName; path: string }, entry: Entry): void {
    if (!this.table(file.table).delete(file.path)) return
    this.tombstones ??= new Map(this.before.tombstones)
    const { version, timestampMs: removedMs } = entry
    this.tombstones.set(fileKey(file), { table: file.table, path: file.path, version, removedMs })
  }

  private table(table: TableName): Map<string, LiveFile> {
    const known = this.copied.get(table)
    if (known !== undefined) return known
    const copy = new Map(this.files.get(table))
    this.copied.set(table, copy)
    this.files.set(table, copy)
    return copy
  }

  private setState(key: string, value: unknown): void {
    this.state ??= new Map(this.before.head.state)
    if (value === null) this.state.delete(key)
    else this.state.set(key, value)
    if (key === RETAINED_STATE) this.sweep(Number(value))
  }

  private sweep(beforeMs: number): void {
    const kept = [...(this.tombstones ?? this.before.tombstones)].filter(
      ([, { removedMs }]) => removedMs >= beforeMs
    )
    this.tombstones = new Map(kept)
  }
}
