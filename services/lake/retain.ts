import { TABLES } from '../../schemas/tables.ts'
import { NOTHING, type Head } from './commit.ts'
import { checkpointPath, versionOfCheckpoint } from './delta-checkpoint.ts'
import { commitPath, logFolder, versionOfCommit } from './delta-log.ts'
import { UNFINISHED, type Files } from './files.ts'
import { RETAINED_STATE, VERSION_AGE_MS_MAX, type Fold } from './head.ts'
import type { Lake } from './lake.ts'
import { LEASES_FOLDER } from './lease.ts'
import { pinnedVersions } from './pins.ts'
import { ORPHAN_AGE_MS_MIN, neededFiles, planMarks, type Mark } from './retention.ts'
import { dropSeals } from './seal-files.ts'
import { HEADS_FOLDER, headPath, readSavedHead, versionOfHead } from './saved-head.ts'

export type RetainReport = {
  /** Data files that no readable version refers to, written by anyone. */
  dataFiles: number
  /** Commits, checkpoints and saved heads that no readable version needs. */
  logFiles: number
  /** Leavings of writers that died. */
  unfinishedFiles: number
}

/**
 * Removes what the rules of `retention.ts` let go. May run at any time, beside any writer, and be
 * cut off anywhere: files go before anything that names them only when nothing names them, and
 * logs are cleaned from their old end.
 */
export const retain = async (lake: Lake): Promise<RetainReport> => {
  await lake.rollForward()
  const { files, nowMs: clock } = lake.doors
  const nowMs = clock()
  const logFiles = await cleanLogs(lake, nowMs)
  const paths = (await files.list('')).filter(isOurs)
  const unfinished = paths.filter((path) => path.endsWith(UNFINISHED))
  const dataFiles = await removeAged(files, nowMs, await strayData(lake, nowMs, paths))
  await forgetTombstones(lake, nowMs)
  return { logFiles, dataFiles, unfinishedFiles: await removeAged(files, nowMs, unfinished) }
}

/** Only folders of our tables, and of leases: what else lies in the lake's folder is not ours. */
const isOurs = (path: string): boolean => {
  const folder = path.split('/', 1)[0] ?? ''
  return Object.hasOwn(TABLES, folder) || folder === LEASES_FOLDER
}

/** Commits that files removed long enough ago are gone, so that heads need not remember them. */
const forgetTombstones = async (lake: Lake, nowMs: number): Promise<void> => {
  const beforeMs = nowMs - VERSION_AGE_MS_MAX
  const isOld = ({ tombstones }: Fold): boolean =>
    [...tombstones.values()].some(({ removedMs }) => removedMs < beforeMs)
  if (!isOld(await lake.fold())) return
  const state = { [RETAINED_STATE]: beforeMs }
  await lake.commit(() => ({ ...NOTHING, kind: 'retain', state }))
}

const removeAged = async (files: Files, nowMs: number, paths: string[]): Promise<number> => {
  let removed = 0
  for (const path of paths) {
    const state = await files.stat(path)
    if (state === null || nowMs - state.modifiedMs < ORPHAN_AGE_MS_MIN) continue
    await files.delete(path)
    removed += 1
  }
  return removed
}

/** Data files that neither the head, nor a pin, nor a young version refers to. */
const strayData = async (lake: Lake, nowMs: number, paths: string[]): Promise<string[]> => {
  const { head, tombstones } = await lake.fold()
  const pinned: Head[] = []
  for (const version of pinnedVersions(head)) pinned.push(await lake.headAt(version))
  const needed = neededFiles([head, ...pinned], tombstones.values(), nowMs)
  return paths.filter((path) => isData(path) && !needed.has(path))
}

/** Folders whose name starts with an underscore hold no data, by Delta's convention and ours. */
const isData = (path: string): boolean => path.endsWith('.parquet') && !/(^|\/)_/.test(path)

const cleanLogs = async (lake: Lake, nowMs: number): Promise<number> => {
  const { files } = lake.doors
  const pinned = pinnedVersions(await lake.head())
  const plan = planMarks(await marksOf(files, HEADS_FOLDER, versionOfHead), nowMs, pinned)
  // A damaged copy must not be what everything before it is thrown away for: read it first.
  const saved = await readSavedHead(files, plan.base ?? Number.MAX_SAFE_INTEGER)
  if (saved === null || (plan.base !== null && saved.log.version !== plan.base)) return 0
  for (const version of pinned) await lake.keepHead(version)
  let removed = 0
  for (const log of [saved.log, ...saved.tables]) {
    const limit = plan.base === null ? 0 : log.version
    removed += await cleanLog(files, log.table, limit, nowMs)
  }
  return removed + (await removeCopies(files, plan.drops.map(headPath)))
}

/** Cleans one table's log below both its own old checkpoint and what the saved head relies on. */
const cleanLog = async (
  files: Files,
  table: string,
  limit: number,
  nowMs: number
): Promise<number> => {
  const checkpoints = await marksOf(files, logFolder(table), versionOfCheckpoint)
  const plan = planMarks(checkpoints, nowMs)
  const base = Math.min(plan.base ?? 0, limit)
  const commits = (await files.list(logFolder(table)))
    .map(versionOfCommit)
    .filter((version) => version !== null)
    // One more stays, by which a writer that slept can tell that its commit follows the log's end.
    .filter((version) => version < base - 1)
    .map((version) => commitPath(table, version))
  const drops = plan.drops.map((version) => checkpointPath(table, version))
  return (await removeAll(files, commits)) + (await removeCopies(files, drops))
}

const removeAll = async (files: Files, paths: readonly string[]): Promise<number> => {
  for (const path of paths) await files.delete(path)
  return paths.length
}

/** Copies of a log go with their seals. */
const removeCopies = async (files: Files, paths: readonly string[]): Promise<number> => {
  const removed = await removeAll(files, paths)
  if (removed > 0) await dropSeals(files, paths)
  return removed
}

const marksOf = async (
  files: Files,
  folder: string,
  versionOf: (path: string) => number | null
): Promise<Mark[]> => {
  const marks: Mark[] = []
  for (const path of await files.list(folder)) {
    const version = versionOf(path)
    const state = version === null ? null : await files.stat(path)
    if (version !== null && state !== null) marks.push({ version, modifiedMs: state.modifiedMs })
  }
  return marks
}
