import { randomUUID } from 'node:crypto'
import type { TableName } from '../../schemas/tables.ts'
import { Failure } from '../../schemas/failure.ts'
import { checkCommit } from './commit-check.ts'
import type { Commit, Head, TableFile } from './commit.ts'
import { PROTOCOL, newMetaData, type Action } from './delta-actions.ts'
import { appendActions } from './delta-log.ts'
import type { Files } from './files.ts'
import { ORIGIN, createFollower, type Follower, type Start } from './follower.ts'
import type { Entry } from './head.ts'
import { localFiles } from './local-files.ts'
import { RANGES, rangesActions, readEntry } from './ranges-log.ts'
import { rangesSelect, type ParquetWriter } from './range-rows.ts'
import {
  followTables,
  rollTables,
  shapeActions,
  shapeTables,
  type TableLogs
} from './table-logs.ts'
import { takeTurns } from './turn.ts'

export type LakeOptions = {
  /** Writes small Parquet files: rows of `ranges` and Delta checkpoints. */
  writeParquet: ParquetWriter
  /** Default: the local folder. */
  files?: Files
  nowMs?: () => number
  newId?: () => string
  /** Whether to create the lake when the folder holds none. */
  create?: boolean
}

export type Lake = {
  files: Files
  /** The state of the lake now, as far as any process has committed. */
  head: () => Promise<Head>
  /**
   * The state at an earlier version.
   * @throws Failure E_USAGE when there was none yet, E_LAKE_MISSING when it has been cleaned.
   */
  headAt: (version: number) => Promise<Head>
  /**
   * Decides one commit. `build` sees the head that the commit would follow and says what to
   * commit, or null for nothing; it is called again with a newer head when another writer was
   * first. Once decided, the other tables follow before this resolves.
   * @returns the version decided; null when `build` returned null.
   * @throws Failure E_LAKE_CONFLICT when what `build` returned does not fit the head it saw (a
   *   range that does not continue its partition, a file that is no longer live), or, retriable,
   *   when other writers were first too many times.
   */
  commit: (build: (head: Head) => Promise<Commit | null> | Commit | null) => Promise<number | null>
  /** Lets all tables follow what has been decided, whoever decided it. */
  rollForward: () => Promise<void>
  /** A new name for a data file, and the local path to write it to before `publish`. */
  stage: (table: TableName) => Promise<Staged>
  /** Makes a staged file durable; it stays invisible until a commit adds it. */
  publish: (staged: Staged, content: FileContent) => Promise<TableFile>
}

export type Staged = { table: TableName; path: string; local: string }

export type FileContent = Pick<TableFile, 'rows' | 'timeUsMin' | 'timeUsMax'>

/** Each lost race means that another writer went on; with 8 busy writers 64 fail once in 5,000. */
const RACES_MAX = 64

/**
 * Opens a lake: reads its head and lets tables follow that a crashed writer left behind.
 * @throws Failure E_LAKE_MISSING when the folder holds none and `create` is not set.
 */
export const openLake = async (dir: string, options: LakeOptions): Promise<Lake> => {
  const setup: Setup = {
    files: options.files ?? localFiles(dir),
    nowMs: options.nowMs ?? Date.now,
    newId: options.newId ?? randomUUID,
    writeParquet: options.writeParquet
  }
  const follower = createFollower(setup.files, async () => ORIGIN, ORIGIN)
  await findOrCreate(setup, follower, dir, options.create ?? false)
  const tables = await openTables(setup, follower)
  return assemble(setup, follower, tables)
}

type Setup = {
  files: Files
  nowMs: () => number
  newId: () => string
  writeParquet: ParquetWriter
}

const NOTHING: Omit<Commit, 'kind'> = {
  generation: '',
  ranges: [],
  adds: [],
  removes: [],
  state: {}
}

const findOrCreate = async (setup: Setup, follower: Follower, dir: string, create: boolean) => {
  if ((await follower.follow()).log.version >= 0) return
  if (!create) {
    throw new Failure('E_LAKE_MISSING', `${dir} holds no lake`, {
      hint: 'Name the folder with --data, or ingest something into it first.'
    })
  }
  const timestampMs = setup.nowMs()
  const entry = newEntry(setup, ORIGIN, { ...NOTHING, kind: 'adopt' })
  const metaData = newMetaData(RANGES, setup.newId(), timestampMs)
  const actions = rangesActions(entry, [{ protocol: PROTOCOL }, { metaData }])
  await appendActions(setup.files, { table: RANGES, version: 0 }, actions)
}

type Tables = { roll: () => Promise<void> }

const openTables = async (setup: Setup, follower: Follower): Promise<Tables> => {
  const inTurn = takeTurns()
  let logs: TableLogs = await followTables(setup.files, new Map())
  const { log } = await shapeRanges(setup, follower)
  const birth = { lakeId: log.metaData?.id ?? '', timestampMs: setup.nowMs() }
  logs = await shapeTables(setup.files, logs, birth)
  const roll = async (): Promise<void> => {
    const entries = await follower.take()
    try {
      logs = await rollTables(setup.files, logs, entries)
    } catch (error) {
      follower.giveBack(entries)
      throw error
    }
  }
  await inTurn(roll)
  return { roll: () => inTurn(roll) }
}

/** Gives `ranges` itself the columns of this build. */
const shapeRanges = async (setup: Setup, follower: Follower): Promise<Start> => {
  for (;;) {
    const at = await follower.follow()
    const birth = { lakeId: '', timestampMs: setup.nowMs() }
    const shape = shapeActions(at.log, birth)?.filter(({ metaData }) => metaData !== undefined)
    if (shape === undefined) return at
    await decide(setup, newEntry(setup, at, { ...NOTHING, kind: 'adopt' }), shape)
  }
}

const assemble = (setup: Setup, follower: Follower, tables: Tables): Lake => {
  const inTurn = takeTurns()
  const { files } = setup
  return {
    files,
    head: async () => (await follower.follow()).fold.head,
    headAt: async (version) => (await follower.foldAt(version)).head,
    commit: (build) =>
      inTurn(async () => {
        // What was decided before and could not follow then must follow now, or say why not.
        await tables.roll()
        const version = await raceToCommit(setup, follower, build)
        await follower.follow()
        await tables.roll()
        return version
      }),
    rollForward: async () => {
      await follower.follow()
      await tables.roll()
    },
    stage: async (table) => {
      const path = `${setup.newId()}.parquet`
      return { table, path, local: await files.scratch(`${table}/${path}`) }
    },
    publish: async ({ table, path }, content) => ({
      table,
      path,
      ...(await files.publish(`${table}/${path}`)),
      ...content
    })
  }
}

const raceToCommit = async (
  setup: Setup,
  follower: Follower,
  build: (head: Head) => Promise<Commit | null> | Commit | null
): Promise<number | null> => {
  const landRanges = rangesLander(setup)
  for (let races = 0; races < RACES_MAX; races++) {
    const at = await follower.follow()
    const built = await build(at.fold.head)
    if (built === null) return null
    checkCommit(at.fold.head, built)
    await checkFiles(setup.files, built.adds)
    const commit = { ...built, adds: [...built.adds, ...(await landRanges(built))] }
    const entry = newEntry(setup, at, commit)
    if (await decide(setup, entry, [])) return entry.version
  }
  throw new Failure('E_LAKE_CONFLICT', `Other writers were first ${RACES_MAX} times`, {
    hint: 'Too many writers commit at once; use fewer consumers or longer flush intervals.',
    retriable: true
  })
}

/** Writes the rows of `ranges` for a commit; once only when a rebased commit has the same rows. */
const rangesLander = (setup: Setup): ((commit: Commit) => Promise<TableFile[]>) => {
  let landed: { select: string; file: TableFile } | null = null
  return async (commit) => {
    if (commit.ranges.length === 0) return []
    const select = rangesSelect(commit)
    if (landed?.select !== select) landed = { select, file: await landFile(setup, commit, select) }
    return [landed.file]
  }
}

const landFile = async (setup: Setup, commit: Commit, select: string): Promise<TableFile> => {
  const path = `${setup.newId()}.parquet`
  await setup.writeParquet(select, await setup.files.scratch(`${RANGES}/${path}`))
  const seal = await setup.files.publish(`${RANGES}/${path}`)
  const rows = commit.ranges.length
  return { table: RANGES, path, ...seal, rows, timeUsMin: null, timeUsMax: null }
}

/** A commit must not name a file that is not there: the writer may have slept past its cleaning. */
const checkFiles = async (files: Files, adds: readonly TableFile[]): Promise<void> => {
  await Promise.all(
    adds.map(async ({ table, path, bytes }) => {
      const found = await files.stat(`${table}/${path}`)
      if (found?.bytes === bytes) return
      const seen = found === null ? 'is missing' : `has ${found.bytes} bytes, not ${bytes}`
      throw new Failure('E_LAKE_CORRUPT', `${table}/${path} ${seen}`, {
        hint: 'Write the file again before it is committed.'
      })
    })
  )
}

const newEntry = (setup: Setup, at: Start, commit: Commit): Entry => ({
  version: at.log.version + 1,
  timestampMs: Math.max(setup.nowMs(), at.fold.timestampMs),
  attempt: setup.newId(),
  commit
})

/** Writes the commit unless its version is taken. Storage may say so of our own attempt. */
const decide = async (setup: Setup, entry: Entry, extra: readonly Action[]): Promise<boolean> => {
  const actions = rangesActions(entry, extra)
  const { version, attempt } = entry
  if (await appendActions(setup.files, { table: RANGES, version }, actions)) return true
  return (await readEntry(setup.files, version))?.attempt === attempt
}
