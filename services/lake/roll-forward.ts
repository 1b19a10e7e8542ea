import { Failure } from '../../schemas/failure.ts'
import { tableActions, type Action } from './delta-actions.ts'
import { afterActions, appendActions, readActions, type TableLog } from './delta-log.ts'
import type { Files } from './files.ts'
import type { Entry } from './head.ts'

/**
 * Brings one table's Delta log up to the given commits of `ranges`, in their order. Any number of
 * processes may do this at once: a commit that another one wrote is read and passed over, so each
 * version is applied once and in order, whoever does it.
 */
export const rollForward = async (
  files: Files,
  from: TableLog,
  entries: readonly Entry[]
): Promise<TableLog> => {
  let log = from
  for (const entry of entries) {
    const actions = tableActions(entry, log.table)
    if (actions !== null) log = await applyOnce(files, log, entry.version, actions)
  }
  return log
}

const applyOnce = async (
  files: Files,
  from: TableLog,
  rangesVersion: number,
  actions: readonly Action[]
): Promise<TableLog> => {
  let log = from
  while (log.applied < rangesVersion) {
    const version = log.version + 1
    const won = await appendActions(files, { table: log.table, version }, actions)
    log = afterActions(log, won ? actions : await readRival(files, log.table, version))
  }
  return log
}

const readRival = async (files: Files, table: string, version: number): Promise<Action[]> => {
  const actions = await readActions(files, table, version)
  if (actions !== null) return actions
  throw new Failure('E_LAKE_CONFLICT', `Version ${version} of ${table} came and went`, {
    hint: 'Open the lake again.',
    retriable: true
  })
}
