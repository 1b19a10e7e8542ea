import { Failure } from '../../schemas/failure.ts'
import { checkCommit } from './commit-check.ts'
import type { Commit, Head, TableFile } from './commit.ts'
import type { Action } from './delta-actions.ts'
import { appendActions } from './delta-log.ts'
import type { Doors } from './doors.ts'
import type { Files } from './files.ts'
import type { Follower } from './follower.ts'
import type { Entry } from './head.ts'
import { rangesSelect } from './parquet-writer.ts'
import { RANGES, rangesActions, readEntry } from './ranges-log.ts'
import type { Start } from './saved-head.ts'

/** Says what to commit on top of a head; null for nothing. */
export type Build = (head: Head) => Promise<Commit | null> | Commit | null

/** Each lost race means that another writer went on; with 8 busy writers 64 fail once in 5,000. */
const RACES_MAX = 64

/** Builds and tries to commit until one attempt decides the next version. */
export const raceToCommit = async (
  doors: Doors,
  follower: Follower,
  build: Build
): Promise<number | null> => {
  const landRanges = rangesLander(doors)
  for (let races = 0; races < RACES_MAX; races++) {
    const at = await follower.follow()
    const built = await build(at.fold.head)
    if (built === null) return null
    checkCommit(at.fold.head, built)
    await checkFiles(doors.files, built.adds)
    const commit = { ...built, adds: [...built.adds, ...(await landRanges(built))] }
    const entry = newEntry(doors, at, commit)
    if (await decide(doors, follower, entry)) {
      follower.vouch(entry.version)
      return entry.version
    }
  }
  throw new Failure('E_LAKE_CONFLICT', `Other writers were first ${RACES_MAX} times`, {
    hint: 'Too many writers commit at once; use fewer consumers or longer flush intervals.',
    retriable: true
  })
}

/** Writes the rows of `ranges` for a commit; once only when a rebased commit has the same rows. */
const rangesLander = (doors: Doors): ((commit: Commit) => Promise<TableFile[]>) => {
  let landed: { select: string; file: TableFile } | null = null
  return async (commit) => {
    if (commit.ranges.length === 0) return []
    const select = rangesSelect(commit)
    if (landed?.select !== select) landed = { select, file: await landRows(doors, commit, select) }
    return [landed.file]
  }
}

const landRows = async (
  { files, newId, writeParquet }: Doors,
  commit: Commit,
  select: string
): Promise<TableFile> => {
  const path = `${newId()}.parquet`
  const local = await files.scratch(`${RANGES}/${path}`)
  await writeParquet(select, local)
  const seal = await files.publish(local, `${RANGES}/${path}`)
  const rows = commit.ranges.length
  return { table: RANGES, path, ...seal, rows, timeUsMin: null, timeUsMax: null }
}

/** A commit must not name a file that is not there: its writer may have slept past the cleaning. */
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

/** Time never runs backwards in the log, whatever the clocks of its writers say. */
export const newEntry = (doors: Doors, at: Start, commit: Commit): Entry => ({
  version: at.log.version + 1,
  timestampMs: Math.max(doors.nowMs(), at.fold.timestampMs),
  attempt: doors.newId(),
  parent: at.fold.attempt,
  commit
})

/** Writes the commit unless its version is taken. Storage may say so of our own attempt. */
export const decide = async (
  doors: Doors,
  follower: Follower,
  entry: Entry,
  extra: readonly Action[] = []
): Promise<boolean> => {
  const actions = rangesActions(entry, extra)
  const { version, attempt } = entry
  await follower.persist()
  if (await appendActions(doors.files, { table: RANGES, version }, actions)) return true
  return (await readEntry(doors.files, version))?.attempt === attempt
}
