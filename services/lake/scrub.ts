import type { TableName } from '../../schemas/tables.ts'
import type { Commit, LiveFile, Range } from './commit.ts'
import type { Files } from './files.ts'
import { fileKey } from './head.ts'
import type { Lake } from './lake.ts'
import { readEntry } from './ranges-log.ts'

/** A file that is not what its commit said. */
export type Damage = {
  table: TableName
  path: string
  problem: 'missing' | 'size' | 'content'
  /** The commit that added it; null when that commit has been cleaned. */
  kind: Commit['kind'] | null
  /** What to read again from the log to make it anew; empty when it was made from other tables. */
  ranges: readonly Range[] | null
}

export type ScrubReport = { version: number; files: number; bytes: number; damages: Damage[] }

/** Reads every live file of the lake and compares it with its recorded size and SHA-256. */
export const verify = async (lake: Pick<Lake, 'head' | 'doors'>): Promise<ScrubReport> => {
  const head = await lake.head()
  const report: ScrubReport = { version: head.version, files: 0, bytes: 0, damages: [] }
  for (const byPath of head.files.values()) {
    for (const file of byPath.values()) {
      report.files += 1
      report.bytes += file.bytes
      const problem = await inspect(lake.doors.files, file)
      if (problem !== null) report.damages.push(await describe(lake.doors.files, file, problem))
    }
  }
  return report
}

const inspect = async (files: Files, file: LiveFile): Promise<Damage['problem'] | null> => {
  const state = await files.stat(fileKey(file))
  if (state === null) return 'missing'
  if (state.bytes !== file.bytes) return 'size'
  const seal = await files.seal(fileKey(file))
  return seal?.sha256 === file.sha256 ? null : 'content'
}

const describe = async (
  files: Files,
  file: LiveFile,
  problem: Damage['problem']
): Promise<Damage> => {
  const entry = await readEntry(files, file.version)
  const { table, path } = file
  const origin = { kind: entry?.commit.kind ?? null, ranges: entry?.commit.ranges ?? null }
  return { table, path, problem, ...origin }
}
