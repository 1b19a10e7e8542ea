import { basename } from 'node:path'
import { z } from 'zod'
import type { TableFile, Head } from '../../services/lake/commit.ts'
import type { ColumnData } from '../../services/lake/columns.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { textColumn } from '../../services/lake/text-column.ts'

/**
 * States of folds in the lake, one row per signal with the time that it was folded until. Small ones
 * share a file that every step replaces; a large one has a file of its own, replaced now and then.
 */

export type SnapshotDoors = { engine: Engine; lake: Lake }

/** A signal's state in the lake: where, of when, and how large. */
export type Snapshot = { path: string; untilMs: number; bytes: number }

export type SnapshotPolicy = {
  /** States up to this many bytes are written at every step: it costs less than folding again. */
  smallBytesMax: number
  /** Event time folded since a large state was written, after which it is due. */
  largeAgeMs: number
  /** Large states written by one step: the others wait for the next, so that no step takes long. */
  largePerStep: number
}

export const SNAPSHOT_POLICY: SnapshotPolicy = {
  smallBytesMax: 256 << 10,
  largeAgeMs: 10 * 60_000,
  largePerStep: 2
}

export type DueOptions = {
  untilMs: number
  /** Whether all are to be written: nobody will fold on. */
  all: boolean
  policy: SnapshotPolicy
}

/** Signals whose state is to be written, given what is written of them. */
export const dueSignals = (
  ids: readonly string[],
  snapshots: ReadonlyMap<string, Snapshot>,
  { untilMs, all, policy }: DueOptions
): string[] => {
  const paths = [...snapshots.values()].map(({ path }) => path)
  const isLarge = ({ path, bytes }: Snapshot): boolean =>
    bytes > policy.smallBytesMax && paths.indexOf(path) === paths.lastIndexOf(path)
  const age = (id: string): number => untilMs - snapshots.get(id)!.untilMs
  const large = ids.filter((id) => snapshots.has(id) && isLarge(snapshots.get(id)!))
  const waiting = new Set(large)
  const aged = large
    .filter((id) => age(id) >= (all ? 1 : policy.largeAgeMs))
    .sort((a, b) => age(b) - age(a))
    .slice(0, all ? Infinity : policy.largePerStep)
  return [...ids.filter((id) => !waiting.has(id)), ...aged]
}

const Blob = z.object({ bytes: z.instanceof(Uint8Array) })
const bytesOf = (value: unknown): Uint8Array =>
  value instanceof Uint8Array ? value : Blob.parse(value).bytes

/** All states that the head holds. */
export const readSnapshots = async (
  doors: SnapshotDoors,
  head: Head
): Promise<Map<string, Snapshot & { state: Uint8Array }>> => {
  const files = new Map([['fold_states' as const, head.files.get('fold_states') ?? new Map()]])
  await attach(doors, { ...head, files, state: new Map() })
  const rows = await doors.engine.rows(
    'SELECT signal, epoch_ms(folded_until) AS until, bytes, filename FROM temp.fold_states'
  )
  return new Map(
    rows.map(({ signal, until, bytes, filename }) => {
      const state = bytesOf(bytes)
      const path = basename(String(filename))
      return [String(signal), { path, untilMs: Number(until), bytes: state.length, state }]
    })
  )
}

/** Lands states: the small ones in one file, each large one in its own. */
export const landSnapshots = async (
  doors: SnapshotDoors,
  states: ReadonlyMap<string, Uint8Array>,
  { untilMs, policy }: Pick<DueOptions, 'untilMs' | 'policy'>
): Promise<{ files: TableFile[]; snapshots: Map<string, Snapshot> }> => {
  const entries = [...states].sort(([a], [b]) => (a < b ? -1 : 1))
  const small = entries.filter(([, { length }]) => length <= policy.smallBytesMax)
  const large = entries.filter(([, { length }]) => length > policy.smallBytesMax)
  const groups = [...(small.length === 0 ? [] : [small]), ...large.map((entry) => [entry])]
  const files: TableFile[] = []
  const snapshots = new Map<string, Snapshot>()
  for (const group of groups) {
    const file = await landGroup(doors, group, untilMs)
    if (file === null) continue
    files.push(file)
    for (const [id, { length }] of group) {
      snapshots.set(id, { path: file.path, untilMs, bytes: length })
    }
  }
  return { files, snapshots }
}

const landGroup = async (
  doors: SnapshotDoors,
  group: readonly (readonly [string, Uint8Array])[],
  untilMs: number
): Promise<TableFile | null> => {
  const columns: ColumnData[] = [
    textColumn(group.map(([signal]) => Buffer.from(signal))),
    { ...textColumn(group.map(([, bytes]) => bytes)), type: 'BLOB' }
  ]
  const segments = [{ rows: group.length, columns }]
  await doors.engine.load('folds', { names: ['signal', 'bytes'], segments })
  const until = `make_timestamptz(${untilMs}000)`
  const sql = `SELECT signal, ${until}::TIMESTAMPTZ AS folded_until, bytes FROM temp.folds ORDER BY signal`
  return landTable(doors, { table: 'fold_states', sql, time: 'folded_until' })
}
