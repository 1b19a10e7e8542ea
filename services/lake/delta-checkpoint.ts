import { createHash } from 'node:crypto'
import { Failure } from '../../schemas/failure.ts'
import { APP_ID, PROTOCOL, addFile, removeFile, type Action } from './delta-actions.ts'
import { logFolder, versionName, type TableLog } from './delta-log.ts'
import { diskFailure } from './disk-failure.ts'
import type { Doors } from './doors.ts'
import type { Files } from './files.ts'
import type { Fold } from './head.ts'
import { quoted } from './parquet-writer.ts'
import { sealFile } from './seal-files.ts'
import { sealOf } from './seal.ts'

/** Commits of a table between two checkpoints: the design's figure, and five times Delta's own. */
export const CHECKPOINT_EVERY = 50

export const checkpointPath = (table: string, version: number): string =>
  `${logFolder(table)}/${versionName(version)}.checkpoint.parquet`

export const versionOfCheckpoint = (path: string): number | null => {
  const name = /\/_delta_log\/(\d{20})\.checkpoint\.parquet$/.exec(path)?.[1]
  return name === undefined ? null : Number(name)
}

export const lastCheckpointPath = (table: string): string => `${logFolder(table)}/_last_checkpoint`

type Pointer = { version: number; size: number }

/** `_last_checkpoint` with the checksum that the protocol defines: MD5 of the canonical form. */
const encodePointer = ({ version, size }: Pointer): Uint8Array => {
  const canonical = `"size"=${size},"version"=${version}`
  const checksum = createHash('md5').update(canonical).digest('hex')
  return Buffer.from(JSON.stringify({ version, size, checksum }))
}

/** Null when it is not what `encodePointer` made. */
const decodePointer = (bytes: Uint8Array): Pointer | null => {
  const text = Buffer.from(bytes).toString()
  const { version, size } = numbersOf(text)
  return Buffer.compare(encodePointer({ version, size }), bytes) === 0 ? { version, size } : null
}

const numbersOf = (text: string): Pointer => {
  const [version, size] = [/"version":(\d+)/, /"size":(\d+)/].map((name) => name.exec(text)?.[1])
  return { version: Number(version), size: Number(size) }
}

export const isPointer = (bytes: Uint8Array): boolean => decodePointer(bytes) !== null

const STRING_MAP = 'MAP(VARCHAR, VARCHAR)'

/** Columns of a classic checkpoint (V1), by `PROTOCOL.md` of Delta Lake. */
const COLUMNS: Readonly<Record<string, string>> = {
  protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)',
  metaData:
    'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, ' +
    `format STRUCT(provider VARCHAR, options ${STRING_MAP}), schemaString VARCHAR, ` +
    `partitionColumns VARCHAR[], createdTime BIGINT, configuration ${STRING_MAP})`,
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  add:
    `STRUCT(path VARCHAR, partitionValues ${STRING_MAP}, size BIGINT, ` +
    'modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR)',
  remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN)'
}

type CheckpointDoors = Pick<Doors, 'files' | 'disk' | 'writeParquet'>

/**
 * Writes a checkpoint of one table when its last one is far enough back. The table must hold
 * exactly what the fold says of it.
 */
export const checkpointIfDue = async (
  doors: CheckpointDoors,
  log: TableLog,
  fold: Fold
): Promise<void> => {
  const last = await lastCheckpoint(doors.files, log.table)
  if (log.metaData === null || log.version - last < CHECKPOINT_EVERY) return
  const rows = checkpointRows(log, fold)
  await publishRows(doors, checkpointPath(log.table, log.version), rows)
  const pointer = encodePointer({ version: log.version, size: rows.length })
  await doors.files.put(lastCheckpointPath(log.table), pointer)
}

const lastCheckpoint = async (files: Files, table: string): Promise<number> => {
  const bytes = await files.get(lastCheckpointPath(table))
  // A damaged one says nothing: the next checkpoint comes earlier, and writes it anew.
  return bytes === null ? 0 : (decodePointer(bytes)?.version ?? 0)
}

/** All actions that are still in force: files, tombstones, schema, and the version of `ranges`. */
const checkpointRows = (log: TableLog, fold: Fold): Action[] => {
  const metaData = log.metaData === null ? [] : [{ metaData: log.metaData }]
  const lastUpdated = fold.timestampMs
  const txn = log.applied < 0 ? [] : [{ txn: { appId: APP_ID, version: log.applied, lastUpdated } }]
  const live = [...fold.head.files].find(([table]) => table === log.table)?.[1].values() ?? []
  const gone = [...fold.tombstones.values()].filter(({ table }) => table === log.table)
  return [
    { protocol: PROTOCOL },
    ...metaData,
    ...txn,
    ...[...live].map((file) => ({
      add: { ...addFile(file, file.committedMs), dataChange: false }
    })),
    ...gone.map(({ path, removedMs }) => ({ remove: removeFile(path, removedMs, false) }))
  ]
}

const publishRows = async (
  { files, disk, writeParquet }: CheckpointDoors,
  path: string,
  rows: readonly Action[]
): Promise<void> => {
  const text = await files.scratch(`${path}.ndjson`)
  await writeText(disk, text, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const parquet = await files.scratch(path)
  await writeParquet(rowsSelect(text), parquet)
  await disk.remove(text)
  await sealFile(files, path, sealOf((await disk.read(parquet)) ?? new Uint8Array()))
  try {
    await files.publish(parquet, path)
  } catch (error) {
    // Another process made a checkpoint of the same version: it says the same in other bytes.
    if (!(error instanceof Failure && error.code === 'E_LAKE_CONFLICT')) throw error
    await disk.remove(parquet)
    // It may have died before the name was durable, and `_last_checkpoint` is about to say it.
    await files.persist(path.slice(0, path.lastIndexOf('/')))
  }
}

const writeText = async (disk: Doors['disk'], local: string, text: string): Promise<void> => {
  try {
    await disk.create(local, Buffer.from(text))
  } catch (error) {
    throw diskFailure(error, 'write', local)
  }
}

const rowsSelect = (path: string): string => {
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${name}: ${quoted(type)}`)
  const options = `format = 'newline_delimited', compression = 'uncompressed', columns = {${columns.join(', ')}}`
  return `SELECT * FROM read_json(${quoted(path)}, ${options})`
}
