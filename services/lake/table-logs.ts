import { TABLES } from '../../schemas/tables.ts'
import { Failure } from '../../schemas/failure.ts'
import { PROTOCOL, newMetaData, widenedMetaData, type Action } from './delta-actions.ts'
import {
  afterActions,
  appendActions,
  emptyLog,
  followLog,
  isTip,
  type TableLog
} from './delta-log.ts'
import type { Files } from './files.ts'
import type { Entry } from './head.ts'
import { RANGES } from './ranges-log.ts'
import { rollForward } from './roll-forward.ts'

/** The Delta logs of all tables that follow `ranges`. */
export type TableLogs = Map<string, TableLog>

export const FOLLOWING: readonly string[] = Object.keys(TABLES).filter((name) => name !== RANGES)

/** Reads every table's log to its end, from where it was known to be. */
export const followTables = async (files: Files, known: TableLogs): Promise<TableLogs> => {
  const names = [...new Set([...FOLLOWING, ...known.keys()])]
  const logs = await Promise.all(names.map((name) => openLog(files, known.get(name), name)))
  return new Map(logs.map((log) => [log.table, log]))
}

const openLog = async (files: Files, known: TableLog | undefined, table: string) => {
  let log = await followLog(files, known ?? emptyLog(table))
  while (!(await isTip(files, table, log.version))) {
    const before = log.version
    // Another process may have begun the log between the two looks.
    log = await followLog(files, log)
    if (log.version === before) throw lostBeginning(table)
  }
  return log
}

const lostBeginning = (table: string): Failure =>
  new Failure('E_LAKE_CORRUPT', `The log of ${table} does not begin where it is known to`, {
    hint: 'Restore its _delta_log, and ranges/_heads, from a copy of the lake.'
  })

/** Gives every table of this build a log, and its log the columns that this build writes. */
export const shapeTables = async (
  files: Files,
  logs: TableLogs,
  birth: { lakeId: string; timestampMs: number }
): Promise<TableLogs> => {
  const shaped = await Promise.all([...logs.values()].map((log) => shapeTable(files, log, birth)))
  return new Map(shaped.map((log) => [log.table, log]))
}

const shapeTable = async (
  files: Files,
  from: TableLog,
  birth: { lakeId: string; timestampMs: number }
): Promise<TableLog> => {
  let log = from
  for (;;) {
    const actions = shapeActions(log, birth)
    if (actions === null) return log
    const won = await appendActions(files, { table: log.table, version: log.version + 1 }, actions)
    log = won ? afterActions(log, actions) : await followLog(files, log)
  }
}

/** Actions that give a table the columns of this build; null when it has them. */
export const shapeActions = (
  log: TableLog,
  birth: { lakeId: string; timestampMs: number }
): Action[] | null => {
  const { table, metaData } = log
  if (metaData === null) {
    if (!Object.hasOwn(TABLES, table)) return null
    const created = newMetaData(table, birth.lakeId, birth.timestampMs)
    return [shapeInfo(birth, 'CREATE TABLE'), { protocol: PROTOCOL }, { metaData: created }]
  }
  const widened = widenedMetaData(table, metaData)
  return widened === null ? null : [shapeInfo(birth, 'ADD COLUMNS'), { metaData: widened }]
}

const shapeInfo = ({ timestampMs }: { timestampMs: number }, operation: string): Action => ({
  commitInfo: {
    timestamp: timestampMs,
    operation,
    operationParameters: {},
    engineInfo: 'tallystream'
  }
})

/** Brings all tables up to the given commits, side by side. */
export const rollTables = async (
  files: Files,
  logs: TableLogs,
  entries: readonly Entry[]
): Promise<TableLogs> => {
  const names = new Set([...logs.keys(), ...entries.flatMap(tablesOf)])
  const rolled = await Promise.all(
    [...names].map(async (table) => {
      const log = logs.get(table) ?? (await followLog(files, emptyLog(table)))
      return rollForward(files, log, entries)
    })
  )
  return new Map(rolled.map((log) => [log.table, log]))
}

const tablesOf = ({ commit }: Entry): string[] =>
  [...commit.adds, ...commit.removes]
    .map(({ table }) => table as string)
    .filter((t) => t !== RANGES)
