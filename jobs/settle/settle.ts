import type { Head, TableFile } from '../../services/lake/commit.ts'
import { settledHours, type SettledHour } from '../../services/lake/settled-hours.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { openFrom } from './closed-hours.ts'
import { resettleKey, settleHour, type SettleDoors } from './settle-hour.ts'
import type { PartitionState } from '../../services/stream/log.ts'

export type SettleOptions = {
  /** Partitions of the log now: says which of them are read to their end. */
  partitions: readonly (PartitionState & { topic: string })[]
  nowMs: number
  onHour?: (hour: SettledHour) => void
}

/**
 * Settles every closed hour that has rows beyond what it was settled through, and lets raw files
 * go whose rows are all settled. May run twice or be cut off anywhere: what is committed stays,
 * what is not is done by the next run.
 * @returns the hours settled, oldest first.
 */
export const settle = async (
  doors: SettleDoors,
  { partitions, nowMs, onHour }: SettleOptions
): Promise<SettledHour[]> => {
  const done: SettledHour[] = []
  for (;;) {
    const head = await doors.lake.head()
    const openFromMs = openFrom(head, partitions, nowMs)
    if (openFromMs === null) return done
    await attach(doors, head)
    const [startMs] = await dueHours(doors, head, openFromMs)
    if (startMs === undefined) break
    const hour = await settleHour(doors, head, startMs)
    if (hour === null) continue
    done.push(hour)
    onHour?.(hour)
  }
  await dropSettledFiles(doors)
  return done
}

/** Closed hours with provisional rows, or with a record that an earlier one elsewhere replaces. */
const dueHours = async (
  { engine }: SettleDoors,
  head: Head,
  openFromMs: number
): Promise<number[]> => {
  const rows = await engine.rows(`SELECT DISTINCT epoch_ms(date_trunc('hour', time)) AS hour
    FROM temp.events WHERE provisional AND time < make_timestamptz(${openFromMs * 1000}::BIGINT)`)
  const marked = settledHours(head)
    .map(({ startMs }) => startMs)
    .filter((startMs) => head.state.get(resettleKey(startMs)) === true)
  const hours = new Set([...rows.map(({ hour }) => Number(hour)), ...marked])
  return [...hours].sort((a, b) => a - b)
}

const RAW_TABLES = ['events_raw', 'windows_raw', 'prefixes_raw'] as const

/** Raw files whose every hour is settled through the version that added them. */
const dropSettledFiles = async (doors: SettleDoors): Promise<void> => {
  const { lake, generation } = doors
  await lake.commit(async (head) => {
    await attach(doors, head)
    const removes = await settledFiles(doors, head)
    if (removes.length === 0) return null
    return { kind: 'settle', generation, ranges: [], adds: [], removes, state: {} }
  })
}

const settledFiles = async (
  { engine }: SettleDoors,
  head: Head
): Promise<Pick<TableFile, 'table' | 'path'>[]> => {
  // A version's three raw files hold the same events, so its hours are those of its events.
  const rows = await engine.rows(`SELECT DISTINCT f.version FROM temp.file_versions f
    JOIN temp.events_raw r ON r.filename = f.filename
    LEFT JOIN temp.hours h ON h.hour = date_trunc('hour', r.time)
    WHERE h.through IS NULL OR f.version > h.through`)
  const open = new Set(rows.map(({ version }) => Number(version)))
  return RAW_TABLES.flatMap((table) =>
    [...(head.files.get(table)?.values() ?? [])].filter(({ version }) => !open.has(version))
  )
}
