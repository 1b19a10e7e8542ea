import { createHash } from 'node:crypto'
import type { Commit, TableFile } from './commit.ts'
import { columnsOf, deltaSchema, timeColumnOf, type DeltaSchema } from './delta-schema.ts'
import type { Entry } from './head.ts'

/** Actions of a Delta log, as `PROTOCOL.md` of Delta Lake defines them. */

/** Name under which every table remembers the version of `ranges` that it holds. */
export const APP_ID = 'ranges'

export type MetaData = {
  id: string
  name: string
  format: { provider: string; options: Record<string, string> }
  schemaString: string
  partitionColumns: string[]
  configuration: Record<string, string>
  createdTime: number
}

export type Protocol = { minReaderVersion: number; minWriterVersion: number }
export type Transaction = { appId: string; version: number; lastUpdated: number }

export type AddFile = {
  path: string
  partitionValues: Record<string, string>
  size: number
  modificationTime: number
  dataChange: boolean
  stats: string
}

export type RemoveFile = { path: string; deletionTimestamp: number; dataChange: boolean }

export type CommitInfo = {
  timestamp: number
  operation: string
  operationParameters: Record<string, string>
  engineInfo: string
  /** Only in `ranges`. */
  tallystream?: { attempt: string; parent: string; commit: Commit }
}

export type Action = {
  commitInfo?: CommitInfo
  protocol?: Protocol
  metaData?: MetaData
  txn?: Transaction
  add?: AddFile
  remove?: RemoveFile
}

/** No type or feature that our tables use needs more: every Delta reader can read them. */
export const PROTOCOL: Protocol = { minReaderVersion: 1, minWriterVersion: 2 }

const schemaTexts = new Map<string, string>()

/** The schema of a table of this build, as its metadata hold it. */
const schemaText = (table: string): string => {
  const known = schemaTexts.get(table)
  if (known !== undefined) return known
  const text = JSON.stringify(deltaSchema(columnsOf(table) ?? []))
  schemaTexts.set(table, text)
  return text
}

/** Metadata of a new table. Its id derives from the lake's, so that every writer says the same. */
export const newMetaData = (table: string, lakeId: string, createdTime: number): MetaData => ({
  id: tableId(table, lakeId),
  name: table,
  format: { provider: 'parquet', options: {} },
  schemaString: schemaText(table),
  partitionColumns: [],
  configuration: {},
  createdTime
})

/**
 * Metadata with the columns that this build knows and the table lacks; null when it lacks none.
 * Columns that only another build knows stay.
 */
export const widenedMetaData = (table: string, current: MetaData): MetaData | null => {
  // Whoever opens a lake asks this of every table: most are as this build made them.
  if (current.schemaString === schemaText(table)) return null
  const schema = JSON.parse(current.schemaString) as DeltaSchema
  const known = new Set(schema.fields.map(({ name }) => name))
  const missing = deltaSchema(columnsOf(table) ?? []).fields.filter(({ name }) => !known.has(name))
  if (missing.length === 0) return null
  const fields = [...schema.fields, ...missing]
  return { ...current, schemaString: JSON.stringify({ type: 'struct', fields }) }
}

/** Actions with which one table follows a commit of `ranges`; null when it does not touch it. */
export const tableActions = (entry: Entry, table: string): Action[] | null => {
  const files = fileActions(entry, table)
  if (files.length === 0) return null
  return [{ commitInfo: commitInfo(entry) }, { txn: transaction(entry) }, ...files]
}

export const transaction = (entry: Entry): Transaction => ({
  appId: APP_ID,
  version: entry.version,
  lastUpdated: entry.timestampMs
})

/** The files of one table that a commit takes away and adds. */
export const fileActions = (entry: Entry, table: string): Action[] => {
  const removes = entry.commit.removes.filter((file) => file.table === table)
  const adds = entry.commit.adds.filter((file) => file.table === table)
  const dataChange = !isRewrite(entry.commit, adds)
  return [
    ...removes.map(({ path }) => ({ remove: removeFile(path, entry.timestampMs, dataChange) })),
    ...adds.map((file) => ({ add: { ...addFile(file, entry.timestampMs), dataChange } }))
  ]
}

export const commitInfo = (entry: Entry): CommitInfo => ({
  timestamp: entry.timestampMs,
  operation: OPERATIONS[entry.commit.kind] ?? 'WRITE',
  operationParameters: { kind: entry.commit.kind },
  engineInfo: 'tallystream'
})

const OPERATIONS: Readonly<Record<string, string>> = { flush: 'STREAMING UPDATE' }

/** Whether files were only merged: the table's rows stay the same, and streams may skip it. */
const isRewrite = (commit: Commit, adds: readonly TableFile[]): boolean =>
  commit.kind === 'retain' && adds.length > 0

export const addFile = (file: TableFile, modificationTime: number): AddFile => ({
  path: encodeURI(file.path),
  partitionValues: {},
  size: file.bytes,
  modificationTime,
  dataChange: true,
  stats: JSON.stringify(fileStats(file))
})

export const removeFile = (
  path: string,
  deletionTimestamp: number,
  dataChange: boolean
): RemoveFile => ({ path: encodeURI(path), deletionTimestamp, dataChange })

const fileStats = (file: TableFile): Record<string, unknown> => {
  const column = timeColumnOf(file.table)
  const { timeUsMin, timeUsMax } = file
  if (column === null || timeUsMin === null || timeUsMax === null) return { numRecords: file.rows }
  return {
    numRecords: file.rows,
    minValues: { [column]: isoMicros(timeUsMin) },
    maxValues: { [column]: isoMicros(timeUsMax) }
  }
}

const US_PER_MS = 1000

/** RFC 3339 with microseconds: exact, because engines answer min() and max() from statistics. */
const isoMicros = (timeUs: number): string => {
  const ms = Math.floor(timeUs / US_PER_MS)
  const us = String(timeUs - ms * US_PER_MS).padStart(3, '0')
  return `${new Date(ms).toISOString().slice(0, -1)}${us}Z`
}

/** A UUID (version 8) that is a function of the lake and the table. */
const tableId = (table: string, lakeId: string): string => {
  const hash = createHash('sha256').update(`${lakeId}/${table}`).digest('hex')
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`]
  return [...parts, `a${hash.slice(17, 20)}`, hash.slice(20, 32)].join('-')
}
