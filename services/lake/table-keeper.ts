import { CHECKPOINT_EVERY, checkpointIfDue } from './delta-checkpoint.ts'
import type { TableLog } from './delta-log.ts'
import type { Doors } from './doors.ts'
import type { Follower } from './follower.ts'
import { newestSavedVersion, saveHead, type Start } from './saved-head.ts'
import { followTables, rollTables, shapeTables, type TableLogs } from './table-logs.ts'
import { takeTurns } from './turn.ts'

/** Keeps the tables behind `ranges` up to date, for one open lake. */
export type TableKeeper = {
  /** Reads `ranges`, lets all tables follow, and saves the head when that is due. */
  catchUp: () => Promise<void>
  /** Saves the head and writes those Delta checkpoints that are due. */
  checkpoint: () => Promise<void>
}

/** Commits since the last saved head after which any writer saves one: its regular one failed. */
const OVERDUE_COMMITS = 2 * CHECKPOINT_EVERY

/** Reads the tables' logs and gives each table the shape that this build writes. */
export const keepTables = async (
  doors: Doors,
  follower: Follower,
  start: Start
): Promise<TableKeeper> => {
  const inTurn = takeTurns()
  const { files } = doors
  const birth = { lakeId: start.log.metaData?.id ?? '', timestampMs: doors.nowMs() }
  const known = new Map(start.tables.map((log) => [log.table, log]))
  let logs: TableLogs = await shapeTables(files, await followTables(files, known), birth)

  let savedVersion = start.fold.head.version
  let origin = start.tables

  const roll = async (): Promise<Start> => {
    const { fold, log, tables } = await follower.follow()
    if (tables !== origin) logs = restarted(logs, tables)
    origin = tables
    const entries = await follower.take()
    try {
      logs = await rollTables(files, logs, entries)
    } catch (error) {
      follower.giveBack(entries)
      throw error
    }
    return { fold, log, tables: [...logs.values()] }
  }

  const isDue = async ({ log: { version } }: Start): Promise<boolean> => {
    if (version === 0 || version === savedVersion) return false
    if (version % CHECKPOINT_EVERY === 0) return true
    if (version - savedVersion < OVERDUE_COMMITS) return false
    savedVersion = await newestSavedVersion(files)
    return version - savedVersion >= OVERDUE_COMMITS
  }

  const checkpoint = async (at: Start): Promise<void> => {
    const { fold, log, tables } = at
    // A table that another process rolled beyond our fold is left to that process.
    const exact = tables.filter(({ applied }) => applied <= fold.head.version)
    await Promise.all([...exact, log].map((table) => checkpointIfDue(doors, table, fold)))
    await saveHead(files, at)
    savedVersion = log.version
  }

  return {
    catchUp: () =>
      inTurn(async () => {
        const at = await roll()
        if (await isDue(at)) await checkpoint(at)
      }),
    checkpoint: () => inTurn(async () => checkpoint(await roll()))
  }
}

/** Logs after the follower began anew at a saved head, because it had slept past a cleaning. */
const restarted = (logs: TableLogs, saved: readonly TableLog[]): TableLogs => {
  const next = new Map(logs)
  for (const log of saved) {
    if (log.version > (logs.get(log.table)?.version ?? -1)) next.set(log.table, log)
  }
  return next
}
