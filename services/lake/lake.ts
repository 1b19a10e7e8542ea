import { randomUUID } from 'node:crypto'
import { Failure } from '../../schemas/failure.ts'
import type { TableName } from '../../schemas/tables.ts'
import { NOTHING, type Head, type LiveFile, type TableFile } from './commit.ts'
import { PROTOCOL, newMetaData } from './delta-actions.ts'
import { appendActions } from './delta-log.ts'
import { nodeDisk } from './disk.ts'
import type { Doors } from './doors.ts'
import type { Files } from './files.ts'
import { ORIGIN, cleaned, createFollower, type Follower } from './follower.ts'
import type { Fold } from './head.ts'
import { localFiles } from './local-files.ts'
import type { ParquetWriter } from './parquet-writer.ts'
import { pinnedVersions } from './pins.ts'
import { decide, newEntry, raceToCommit, type Build } from './race.ts'
import { RANGES, rangesActions } from './ranges-log.ts'
import { isReadable } from './retention.ts'
import { readSavedHead, saveHead, type Start } from './saved-head.ts'
import { shapeActions } from './table-logs.ts'
import { keepTables, type TableKeeper } from './table-keeper.ts'
import { takeTurns } from './turn.ts'

export type LakeOptions = {
  /** Writes small Parquet files: rows of `ranges` and Delta checkpoints. */
  writeParquet: ParquetWriter
  /** Default: the local folder. */
  files?: Files
  /** Default: the disk of this machine. */
  disk?: Doors['disk']
  nowMs?: () => number
  newId?: () => string
  /** Whether to create the lake when the folder holds none. */
  create?: boolean
}

export type Lake = {
  doors: Doors
  /** The state of the lake now, as far as any process has committed. */
  head: () => Promise<Head>
  /**
   * The state at an earlier version.
   * @throws Failure E_USAGE when there was none yet, E_LAKE_MISSING when it has been cleaned.
   */
  headAt: (version: number) => Promise<Head>
  /** The head and the files that only earlier versions refer to. */
  fold: () => Promise<Fold>
  /** Saves the head of a version beside the log, so that it outlives the commits before it. */
  keepHead: (version: number) => Promise<void>
  /**
   * Decides one commit. `build` sees the head that the commit would follow and says what to
   * commit, or null for nothing; it is called again with a newer head when another writer was
   * first, and must not commit itself. Once decided, the other tables follow before this resolves.
   * @returns the version decided; null when `build` returned null.
   * @throws Failure E_LAKE_CONFLICT when what `build` returned does not fit the head it saw (a
   *   range that does not continue its partition, a file that is no longer live), or, retriable,
   *   when other writers were first too many times.
   */
  commit: (build: Build) => Promise<number | null>
  /** Lets all tables follow what has been decided, whoever decided it. */
  rollForward: () => Promise<void>
  /** A new name for a data file, and the local path to write it to before `publish`. */
  stage: (table: TableName) => Promise<Staged>
  /** Makes a staged file durable; it stays invisible until a commit adds it. */
  publish: (staged: Staged, content: FileContent) => Promise<TableFile>
  /** Removes a published file that no commit was ever asked to add. */
  withdraw: (file: Pick<TableFile, 'table' | 'path'>) => Promise<void>
  /** Removes a staged file that is not to be published. */
  discard: (staged: Staged) => Promise<void>
}

export type Staged = { table: TableName; path: string; local: string }

export type FileContent = Pick<TableFile, 'rows' | 'timeUsMin' | 'timeUsMax'>

/**
 * Opens a lake: reads its head and lets tables follow that a crashed writer left behind.
 * @throws Failure E_LAKE_MISSING when the folder holds none and `create` is not set.
 */
export const openLake = async (dir: string, options: LakeOptions): Promise<Lake> => {
  const doors: Doors = {
    files: options.files ?? localFiles(dir),
    disk: options.disk ?? nodeDisk,
    nowMs: options.nowMs ?? Date.now,
    newId: options.newId ?? randomUUID,
    writeParquet: options.writeParquet
  }
  const newestStart = async (versionMax: number): Promise<Start> =>
    (await readSavedHead(doors.files, versionMax)) ?? ORIGIN
  const start = await newestStart(Number.MAX_SAFE_INTEGER)
  const follower = createFollower(doors.files, newestStart, start)
  await findOrCreate(doors, follower, dir, options.create ?? false)
  const { log } = await shapeRanges(doors, follower)
  const keeper = await keepTables(doors, follower, { ...start, log })
  await keeper.catchUp()
  return assemble(doors, follower, keeper)
}

export const noLake = (dir: string): Failure =>
  new Failure('E_LAKE_MISSING', `${dir} holds no lake`, {
    hint: 'Name the folder with --data, or ingest something into it first.'
  })

const findOrCreate = async (doors: Doors, follower: Follower, dir: string, create: boolean) => {
  if ((await follower.follow()).log.version >= 0) return
  if (!create) throw noLake(dir)
  const metaData = newMetaData(RANGES, doors.newId(), doors.nowMs())
  const entry = newEntry(doors, ORIGIN, NOTHING)
  const actions = rangesActions(entry, [{ protocol: PROTOCOL }, { metaData }])
  await appendActions(doors.files, { table: RANGES, version: 0 }, actions)
}

/** Gives `ranges` itself the columns of this build. */
const shapeRanges = async (doors: Doors, follower: Follower): Promise<Start> => {
  for (;;) {
    const at = await follower.follow()
    const birth = { lakeId: '', timestampMs: doors.nowMs() }
    const shape = shapeActions(at.log, birth)?.filter(({ metaData }) => metaData !== undefined)
    if (shape === undefined) return at
    await decide(doors, follower, newEntry(doors, at, NOTHING), shape)
  }
}

const assemble = (doors: Doors, follower: Follower, keeper: TableKeeper): Lake => {
  const inTurn = takeTurns()
  const { files, newId } = doors
  return {
    doors,
    head: async () => (await follower.follow()).fold.head,
    headAt: (version) => headAt(doors, follower, version),
    fold: async () => (await follower.follow()).fold,
    keepHead: async (version) => {
      await keeper.catchUp()
      await keepHead(doors, follower, version)
    },
    commit: (build) => inTurn(() => commitOnce(doors, follower, keeper, build)),
    rollForward: keeper.catchUp,
    stage: async (table) => {
      const path = `${newId()}.parquet`
      return { table, path, local: await files.scratch(`${table}/${path}`) }
    },
    publish: async ({ table, path, local }, content) => {
      const seal = await files.publish(local, `${table}/${path}`)
      return { table, path, ...seal, ...content }
    },
    withdraw: ({ table, path }) => files.delete(`${table}/${path}`),
    discard: async ({ local }) => doors.disk.remove(local)
  }
}

/** Quarantined bytes expire whatever refers to them, so that table is always as it is now. */
const headAt = async (doors: Doors, follower: Follower, version: number): Promise<Head> => {
  const { head } = await follower.foldAt(version)
  const { fold } = await follower.follow()
  const quarantine = fold.head.files.get('quarantine') ?? new Map<string, LiveFile>()
  const then = { ...head, files: new Map(head.files).set('quarantine', quarantine) }
  const pinned = pinnedVersions(fold.head).includes(version)
  if (pinned || isReadable(then, fold, doors.nowMs())) return then
  throw cleaned(version)
}

const keepHead = async (doors: Doors, follower: Follower, version: number): Promise<void> => {
  const start = (await readSavedHead(doors.files, version)) ?? ORIGIN
  if (start.log.version === version) return
  const { log } = await follower.follow()
  const fold = await follower.foldAt(version)
  // Tables' logs are known to be older than they were then, which does no harm.
  await saveHead(doors.files, { ...start, fold, log: { ...log, version, applied: version } })
}

const commitOnce = async (
  doors: Doors,
  follower: Follower,
  keeper: TableKeeper,
  build: Build
): Promise<number | null> => {
  await keeper.catchUp()
  const version = await raceToCommit(doors, follower, build)
  try {
    await keeper.catchUp()
  } catch {
    // The commit is decided, and its caller must hear so. Catching up is tried again before the
    // next commit, and by every other process; if it still fails then, that call says why.
  }
  return version
}
