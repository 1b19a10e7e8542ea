import type { Head } from './commit.ts'
import { Failure } from '../../schemas/failure.ts'
import {
  afterActions,
  emptyLog,
  isTip,
  logFolder,
  readActions,
  type TableLog
} from './delta-log.ts'
import type { Files } from './files.ts'
import { EMPTY_FOLD, foldEntries, type Entry, type Fold } from './head.ts'
import { RANGES, entryOf, readEntry } from './ranges-log.ts'
import type { Start } from './saved-head.ts'
import { takeTurns } from './turn.ts'

/** Reads the log of `ranges` on and on, and keeps the fold of what it read. */
export type Follower = {
  /** Reads to the end of the log. */
  follow: () => Promise<Start>
  /** The fold at an earlier version. */
  foldAt: (version: number) => Promise<Fold>
  /**
   * Makes the names of all commits that were read durable. Before one is written on top of them: a
   * power failure may take back the name of one and leave that of the next.
   */
  persist: () => Promise<void>
  /**
   * Commits that were read and not yet taken. Their names are durable then: a table that followed
   * a commit which a power failure took back would be wrong for ever.
   */
  take: () => Promise<Entry[]>
  /** Says that this process wrote a commit itself, and so knows that it is durable. */
  vouch: (version: number) => void
  /** Hands commits back that could not be used. */
  giveBack: (entries: readonly Entry[]) => void
}

export const ORIGIN: Start = { fold: EMPTY_FOLD, log: emptyLog(RANGES), tables: [] }

/** Commits folded at a time: bounds memory while a long log is read without a saved head. */
const FOLD_ENTRIES_MAX = 1000

export const createFollower = (
  files: Files,
  newestStart: (versionMax: number) => Promise<Start>,
  first: Start
): Follower => {
  const inTurn = takeTurns()
  let at = first
  let untaken: Entry[] = []
  /** Version up to which all names are known to be durable: a sync of their folder is of all of them. */
  let durable = first.log.version

  const readOn = async (): Promise<boolean> => {
    const { entries, log } = await readEntries(files, at)
    at = { ...at, fold: foldEntries(at.fold, entries), log }
    untaken.push(...entries)
    return entries.length === FOLD_ENTRIES_MAX
  }

  const follow = async (): Promise<Start> => {
    while (await readOn());
    if (await isTip(files, RANGES, at.log.version)) return at
    // Between the two looks another process may have begun the log.
    const seen = at.log.version
    while (await readOn());
    if (at.log.version > seen) return follow()
    // Others went on and cleaned the log while this process slept: start from a newer saved head.
    const start = await newestStart(Number.MAX_SAFE_INTEGER)
    if (start.log.version <= at.log.version) throw lostLog(at.log.version)
    at = start
    untaken = []
    return follow()
  }

  const foldAt = async (version: number): Promise<Fold> => {
    const now = await inTurn(follow)
    if (version === now.log.version) return now.fold
    if (version > now.log.version || version < 0) throw noVersion(version, now.fold.head)
    return foldFrom(files, (await newestStart(version)).fold, version)
  }

  const persist = async (): Promise<void> => {
    // More may be read meanwhile.
    while (at.log.version > durable) {
      const { version } = at.log
      await files.persist(logFolder(RANGES))
      durable = Math.max(durable, version)
    }
  }

  return {
    follow: () => inTurn(follow),
    foldAt,
    persist,
    take: async () => {
      await persist()
      const taken = untaken
      untaken = []
      return taken
    },
    vouch: (version) => {
      durable = Math.max(durable, version)
    },
    giveBack: (entries) => {
      untaken = [...entries, ...untaken]
    }
  }
}

/** The next commits of the log, and what the log says behind them. */
const readEntries = async (
  files: Files,
  at: Start
): Promise<{ entries: Entry[]; log: TableLog }> => {
  const entries: Entry[] = []
  let { log } = at
  let { attempt } = at.fold
  while (entries.length < FOLD_ENTRIES_MAX) {
    const actions = await readActions(files, RANGES, log.version + 1)
    if (actions === null) break
    const entry = entryOf(log.version + 1, actions)
    if (entry.parent !== attempt) throw forked(entry)
    attempt = entry.attempt
    entries.push(entry)
    log = afterActions(log, actions)
  }
  return { entries, log }
}

const foldFrom = async (files: Files, start: Fold, version: number): Promise<Fold> => {
  let fold = start
  while (fold.head.version < version) {
    const entries: Entry[] = []
    const until = Math.min(version, fold.head.version + FOLD_ENTRIES_MAX)
    for (let next = fold.head.version + 1; next <= until; next++) {
      const entry = await readEntry(files, next)
      if (entry === null) throw cleaned(version)
      entries.push(entry)
    }
    fold = foldEntries(fold, entries)
  }
  return fold
}

const forked = ({ version }: Entry): Failure =>
  new Failure('E_LAKE_CORRUPT', `Version ${version} of ranges does not follow the one before it`, {
    hint: 'Commits of another lake, or of an old copy, lie in ranges/_delta_log.'
  })

const lostLog = (version: number): Failure =>
  new Failure('E_LAKE_CORRUPT', `The log of ranges ends before version ${version}, read earlier`, {
    hint: 'Files of ranges/_delta_log were removed; restore them from a copy of the lake.'
  })

/** A version that is no longer readable. */
export const cleaned = (version: number): Failure =>
  new Failure('E_LAKE_MISSING', `Version ${version} of the lake has been cleaned`, {
    hint: 'Versions stay readable for 7 days, and longer when they are pinned.'
  })

const noVersion = (version: number, head: Head): Failure =>
  new Failure('E_USAGE', `The lake has no version ${version}; it is at ${head.version}`)
