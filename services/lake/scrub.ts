import { Failure } from '../../schemas/failure.ts'
import { sealState } from './commit-seal.ts'
import type { Commit, Head, LiveFile, Range } from './commit.ts'
import { isPointer, lastCheckpointPath, versionOfCheckpoint } from './delta-checkpoint.ts'
import { commitPath, versionOfCommit } from './delta-log.ts'
import type { Files } from './files.ts'
import { createFollower, ORIGIN } from './follower.ts'
import { fileKey } from './head.ts'
import { readEntry } from './ranges-log.ts'
import { readSavedHead, versionOfHead } from './saved-head.ts'
import { readSeals } from './seal-files.ts'
import type { Seal } from './seal.ts'

/** A file that is not what its commit or its seal said. */
export type Damage = {
  table: string
  /** Relative to the table's folder. */
  path: string
  problem: 'missing' | 'size' | 'content'
  /** The commit that added it; null for a file of the log, or when that commit has been cleaned. */
  kind: Commit['kind'] | null
  version: number | null
  /** What to read again from the log to make it anew; empty when it was made from other tables. */
  ranges: readonly Range[] | null
  /** What it should be; the two sums are known of every file that is not a commit. */
  seals: readonly Seal[]
}

export type ScrubReport = {
  /** Null when the log of `ranges` can not be read: then data files were not looked at. */
  version: number | null
  /** Data files, and their bytes. */
  files: number
  bytes: number
  /** Commits, checkpoints and saved heads. */
  logFiles: number
  /** Copies of the log whose writer died before it sealed them. */
  unsealed: number
  damages: Damage[]
}

/** Reads every live file of a lake, and of its logs, and compares it with what was recorded of it. */
export const scrub = async (files: Files): Promise<ScrubReport> => {
  const counts = { files: 0, bytes: 0, logFiles: 0, unsealed: 0 }
  const report: ScrubReport = { version: null, ...counts, damages: [] }
  await scrubLogs(files, report)
  const head = await readHead(files)
  if (head === null) return report
  report.version = head.version
  for (const byPath of head.files.values()) {
    for (const file of byPath.values()) await scrubData(files, file, report)
  }
  return report
}

/** The head, read without writing anything; null when the log is damaged. */
const readHead = async (files: Files): Promise<Head | null> => {
  const newest = async (versionMax: number) => (await readSavedHead(files, versionMax)) ?? ORIGIN
  return unlessCorrupt(async () => {
    const start = await newest(Number.MAX_SAFE_INTEGER)
    return (await createFollower(files, newest, start).follow()).fold.head
  })
}

/** Null when what is read is damaged: that is reported by itself. */
const unlessCorrupt = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read()
  } catch (error) {
    if (error instanceof Failure && error.code === 'E_LAKE_CORRUPT') return null
    throw error
  }
}

const scrubData = async (files: Files, file: LiveFile, report: ScrubReport): Promise<void> => {
  report.files += 1
  report.bytes += file.bytes
  const problem = await inspect(files, file)
  if (problem === null) return
  const entry = await unlessCorrupt(() => readEntry(files, file.version))
  const { table, path, version, bytes, sha256, crc32c } = file
  const seals = crc32c === undefined ? [] : [{ bytes, sha256, crc32c }]
  const { kind = null, ranges = null } = entry?.commit ?? {}
  report.damages.push({ table, path, problem, kind, version, ranges, seals })
}

const inspect = async (
  files: Files,
  file: Pick<LiveFile, 'bytes' | 'sha256' | 'table' | 'path'>
): Promise<Damage['problem'] | null> => {
  const state = await files.stat(fileKey(file))
  if (state === null) return 'missing'
  if (state.bytes !== file.bytes) return 'size'
  const seal = await files.seal(fileKey(file))
  return seal?.sha256 === file.sha256 ? null : 'content'
}

const LOG_FILE = /^([^/]+)\/((?:_delta_log|_heads)\/[^/]+)$/

/** Commits carry their own seal, copies of the log have one beside them. */
const scrubLogs = async (files: Files, report: ScrubReport): Promise<void> => {
  const seals = new Map<string, Map<string, Seal[]>>()
  const paths = await files.list('')
  report.damages.push(...missingCommits(paths))
  for (const full of paths) {
    const [, table, path] = LOG_FILE.exec(full) ?? []
    if (table === undefined || path === undefined) continue
    if (!seals.has(table)) seals.set(table, await readSeals(files, table))
    const known = seals.get(table)?.get(path.slice(path.indexOf('/') + 1)) ?? []
    const state = await inspectLog(files, full, known)
    if (state === null) continue
    report.logFiles += 1
    if (state === 'unsealed') report.unsealed += 1
    if (state !== 'damaged') continue
    report.damages.push({ ...OF_THE_LOG, table, path, problem: 'content', seals: known })
  }
}

const OF_THE_LOG = { kind: null, version: null, ranges: null, seals: [] } as const

/** A log is cleaned from its old end: a commit that lacks between two others was lost. */
const missingCommits = (paths: readonly string[]): Damage[] => {
  const last = new Map<string, number>()
  const damages: Damage[] = []
  for (const full of paths) {
    const version = versionOfCommit(full)
    if (version === null) continue
    const table = full.split('/', 1)[0] ?? ''
    const first = (last.get(table) ?? version - 1) + 1
    for (let lost = first; lost < version; lost++) {
      const path = commitPath(table, lost).slice(table.length + 1)
      damages.push({ ...OF_THE_LOG, table, path, problem: 'missing' })
    }
    last.set(table, version)
  }
  return damages
}

/** Null for what is none of our files, or is not finished, or has gone meanwhile. */
const inspectLog = async (
  files: Files,
  full: string,
  seals: readonly Seal[]
): Promise<'whole' | 'damaged' | 'unsealed' | null> => {
  const isCommit = versionOfCommit(full) !== null
  if (isCommit || full === lastCheckpointPath(full.split('/', 1)[0] ?? '')) {
    const bytes = await files.get(full)
    if (bytes === null) return null
    const isWhole = isCommit ? sealState(bytes) === 'whole' : isPointer(bytes)
    return isWhole ? 'whole' : 'damaged'
  }
  if (versionOfCheckpoint(full) === null && versionOfHead(full) === null) return null
  if (seals.length === 0) return 'unsealed'
  const seen = await files.seal(full)
  if (seen === null) return null
  return seals.some(({ sha256 }) => sha256 === seen.sha256) ? 'whole' : 'damaged'
}
