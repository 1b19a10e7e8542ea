import { z } from 'zod'
import type { TableFile, Head } from '../../services/lake/commit.ts'
import type { ColumnData } from '../../services/lake/columns.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { textColumn } from '../../services/lake/text-column.ts'
import type { SnapshotPolicy } from './snapshot-schedule.ts'

/**
 * States of folds in the lake, with the time that each was folded until. Small ones share a file that
 * every step replaces; a large one has files of its own, replaced now and then. Rows and files are
 * cut, so that a state of hundreds of megabytes never is in the database as a whole.
 */

export type SnapshotDoors = { engine: Engine; lake: Lake }

/** A signal's state in the lake: where, of when, and how large. */
export type Snapshot = { paths: readonly string[]; untilMs: number; bytes: number }

/** Bytes in one row, and in one file. */
const ROW_BYTES_MAX = 1 << 20
const FILE_BYTES_MAX = 32 << 20

const Blob = z.object({ bytes: z.instanceof(Uint8Array) })
const bytesOf = (value: unknown): Uint8Array =>
  value instanceof Uint8Array ? value : Blob.parse(value).bytes

/** All states that the head holds. */
export const readSnapshots = async (
  { engine, lake }: SnapshotDoors,
  head: Head
): Promise<Map<string, Snapshot & { state: Uint8Array }>> => {
  const parts = new Map<string, { untilMs: number; paths: Set<string>; bytes: Uint8Array[] }>()
  for (const path of head.files.get('fold_states')?.keys() ?? []) {
    const file = quoted(lake.doors.files.location(`fold_states/${path}`))
    const rows = await engine.rows(
      `SELECT signal, epoch_ms(folded_until) AS until, part, bytes FROM read_parquet(${file})`
    )
    for (const { signal, until, part, bytes } of rows) {
      const one = parts.get(String(signal)) ?? {
        untilMs: Number(until),
        paths: new Set(),
        bytes: []
      }
      one.paths.add(path)
      one.bytes[Number(part)] = bytesOf(bytes)
      parts.set(String(signal), one)
    }
  }
  return new Map(
    [...parts].map(([id, { untilMs, paths, bytes }]) => {
      const state = Buffer.concat(bytes)
      return [id, { paths: [...paths], untilMs, bytes: state.length, state }]
    })
  )
}

type Part = { signal: string; part: number; bytes: Uint8Array }

export type LandedSnapshots = { files: TableFile[]; snapshots: Map<string, Snapshot> }

/** Lands states: the small ones together, each large one apart. */
export const landSnapshots = async (
  doors: SnapshotDoors,
  states: ReadonlyMap<string, Uint8Array>,
  { untilMs, policy }: { untilMs: number; policy: SnapshotPolicy }
): Promise<LandedSnapshots> => {
  const entries = [...states].sort(([a], [b]) => (a < b ? -1 : 1))
  const isSmall = (state: Uint8Array): boolean => state.length <= policy.smallBytesMax
  const small = entries.filter(([, state]) => isSmall(state)).flatMap(partsOf)
  const large = entries
    .filter(([, state]) => !isSmall(state))
    .flatMap((entry) => files(partsOf(entry)))
  const landed: TableFile[] = []
  const snapshots = new Map<string, Snapshot>()
  for (const group of [...files(small), ...large]) {
    const file = await landGroup(doors, group, untilMs)
    if (file === null) continue
    landed.push(file)
    for (const id of new Set(group.map(({ signal }) => signal))) {
      const paths = [...(snapshots.get(id)?.paths ?? []), file.path]
      snapshots.set(id, { paths, untilMs, bytes: states.get(id)!.length })
    }
  }
  return { files: landed, snapshots }
}

const partsOf = ([signal, state]: readonly [string, Uint8Array]): Part[] =>
  Array.from({ length: Math.max(1, Math.ceil(state.length / ROW_BYTES_MAX)) }, (_, part) => ({
    signal,
    part,
    bytes: state.subarray(part * ROW_BYTES_MAX, (part + 1) * ROW_BYTES_MAX)
  }))

const files = (parts: readonly Part[]): Part[][] => {
  const rows = FILE_BYTES_MAX / ROW_BYTES_MAX
  return Array.from({ length: Math.ceil(parts.length / rows) }, (_, file) =>
    parts.slice(file * rows, (file + 1) * rows)
  )
}

const landGroup = async (
  doors: SnapshotDoors,
  group: readonly Part[],
  untilMs: number
): Promise<TableFile | null> => {
  const columns: ColumnData[] = [
    textColumn(group.map(({ signal }) => Buffer.from(signal))),
    textColumn(group.map(({ part }) => Buffer.from(String(part)))),
    { ...textColumn(group.map(({ bytes }) => bytes)), type: 'BLOB' }
  ]
  const segments = [{ rows: group.length, columns }]
  await doors.engine.load('folds', { names: ['signal', 'part', 'bytes'], segments })
  const until = `make_timestamptz(${untilMs}000)::TIMESTAMPTZ AS folded_until`
  const sql = `SELECT signal, ${until}, bytes, part::INTEGER AS part FROM temp.folds`
  const file = await landTable(doors, { table: 'fold_states', sql, time: 'folded_until' })
  await doors.engine.run('DROP TABLE temp.folds')
  return file
}
