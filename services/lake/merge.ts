import type { TableName } from '../../schemas/tables.ts'
import { NOTHING, type Head, type LiveFile, type TableFile } from './commit.ts'
import type { Lake } from './lake.ts'
import { quoted } from './parquet-writer.ts'
import { QUARANTINE_AGE_MS_MAX } from './retention.ts'

/**
 * Merges the many small files that flushes leave behind. Rows
 * stay as they are, in their order; quarantined bytes are left behind when they are old.
 */
export type Merge = { table: TableName; inputs: readonly LiveFile[]; select: string }

/** Below this many, reading the small files costs less than writing another big one. */
const INPUTS_MIN = 100

/** Bounds one merge, and so the time for which a rival commit can make it useless. */
const INPUTS_MAX = 2000

/** A file of this size is big enough to be read by itself. */
const SMALL_BYTES_MAX = 1 << 20

/** Tables that only grow, a little with each commit. The others are rewritten hour by hour. */
const TABLES_MERGED: readonly TableName[] = [
  'ranges',
  'gaps',
  'quarantine',
  'findings',
  'incident_actions',
  'outbox'
]

/** What to merge now. */
export const planMerges = (head: Head, nowMs: number, path: (file: LiveFile) => string): Merge[] =>
  TABLES_MERGED.map((table) => ({ table, files: [...(head.files.get(table)?.values() ?? [])] }))
    .map(({ table, files }) => ({ table, inputs: pickInputs(table, files, nowMs) }))
    .filter(({ inputs }) => inputs.length > 0)
    .map((merge) => ({ ...merge, select: mergeSelect(merge.table, merge.inputs.map(path)) }))

const pickInputs = (table: TableName, files: readonly LiveFile[], nowMs: number): LiveFile[] => {
  if (table === 'quarantine') {
    const expired = (file: LiveFile): boolean => nowMs - file.committedMs >= QUARANTINE_AGE_MS_MAX
    return files.filter((file) => !isMerged(file) && expired(file)).slice(0, INPUTS_MAX)
  }
  const small = files.filter(({ bytes }) => bytes < SMALL_BYTES_MAX)
  return small.length < INPUTS_MIN ? [] : small.slice(0, INPUTS_MAX)
}

const MERGED = 'merged-'

const isMerged = (file: TableFile): boolean => file.path.startsWith(MERGED)

const mergeSelect = (table: TableName, paths: readonly string[]): string => {
  const columns = table === 'quarantine' ? '* REPLACE (NULL::BLOB AS bytes)' : '*'
  return `SELECT ${columns} FROM read_parquet([${paths.map(quoted).join(', ')}], union_by_name = true)`
}

/**
 * Carries out the merges that are due.
 * @returns how many files were merged away.
 */
export const mergeSmallFiles = async (lake: Lake): Promise<number> => {
  const { files, nowMs } = lake.doors
  const location = ({ table, path }: TableFile): string => files.location(`${table}/${path}`)
  const merges = planMerges(await lake.head(), nowMs(), location)
  let merged = 0
  for (const merge of merges) merged += await carryOut(lake, merge)
  return merged
}

const carryOut = async (lake: Lake, { table, inputs, select }: Merge): Promise<number> => {
  const { files, newId, writeParquet } = lake.doors
  const path = `${MERGED}${newId()}.parquet`
  const local = await files.scratch(`${table}/${path}`)
  await writeParquet(select, local)
  const seal = await files.publish(local, `${table}/${path}`)
  const rows = inputs.reduce((sum, file) => sum + file.rows, 0)
  const added: TableFile = { table, path, ...seal, rows, timeUsMin: null, timeUsMax: null }
  const version = await lake.commit((head) => {
    const live = head.files.get(table)
    if (!inputs.every((file) => live?.has(file.path) === true)) return null
    const removes = inputs.map((file) => ({ table, path: file.path }))
    return { ...NOTHING, kind: 'retain', adds: [added], removes }
  })
  return version === null ? 0 : inputs.length
}
