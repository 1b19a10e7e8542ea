import { Failure } from '../../schemas/failure.ts'
import { sealed, sealState, unsealed } from './commit-seal.ts'
import { APP_ID, type Action, type CommitInfo, type MetaData } from './delta-actions.ts'
import type { Files } from './files.ts'

/** One table's Delta log, as far as it has been read. */
export type TableLog = {
  table: string
  /** Version of the table's own log; −1 when there is none. */
  version: number
  /** Latest version of `ranges` that the table holds; −1 when none. */
  applied: number
  metaData: MetaData | null
}

export const emptyLog = (table: string): TableLog => ({
  table,
  version: -1,
  applied: -1,
  metaData: null
})

export const logFolder = (table: string): string => `${table}/_delta_log`

export const versionName = (version: number): string => String(version).padStart(20, '0')

export const commitPath = (table: string, version: number): string =>
  `${logFolder(table)}/${versionName(version)}.json`

/** Version of a commit file of a table's log; null for any other path. */
export const versionOfCommit = (path: string): number | null => {
  const name = /\/_delta_log\/(\d{20})\.json$/.exec(path)?.[1]
  return name === undefined ? null : Number(name)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export const encodeActions = (actions: readonly Action[]): Uint8Array =>
  encoder.encode(sealed(actions.map((action) => `${JSON.stringify(action)}\n`).join('')))

/** @throws Failure E_LAKE_CORRUPT naming the file when it is not a commit, or not as written. */
export const decodeActions = (bytes: Uint8Array, path: string): Action[] => {
  if (sealState(bytes) === 'broken') throw damaged(path, 'is not as it was written')
  try {
    const lines = unsealed(decoder.decode(bytes)).split('\n')
    return lines.filter((line) => line !== '').map(actionOf)
  } catch (error) {
    throw damaged(path, 'is not a Delta commit', error)
  }
}

const actionOf = (line: string): Action => {
  const action: unknown = JSON.parse(line)
  if (typeof action === 'object' && action !== null) return action
  throw new TypeError('an action is an object')
}

const damaged = (path: string, what: string, cause?: unknown): Failure =>
  new Failure('E_LAKE_CORRUPT', `${path} ${what}`, {
    hint: 'tally scrub --mend sets a flipped bit right; or restore the file from a copy of the lake.',
    cause
  })

/** Actions of one commit; null when the log ends before it, or has been cleaned beyond it. */
export const readActions = async (
  files: Files,
  table: string,
  version: number
): Promise<Action[] | null> => {
  const path = commitPath(table, version)
  const bytes = await files.get(path)
  return bytes === null ? null : decodeActions(bytes, path)
}

/**
 * Whether commit `version` is really the log's last one. A process that slept while others
 * committed and cleaned the log sees no next commit either; but then its own last one is gone,
 * because a log is cleaned from its old end.
 */
export const isTip = async (files: Files, table: string, version: number): Promise<boolean> => {
  if (version >= 0) return (await files.stat(commitPath(table, version))) !== null
  return (await files.list(logFolder(table))).every((path) => versionOfCommit(path) === null)
}

/**
 * Writes commit `version` unless there is one: the one act that decides.
 * @throws Failure E_LAKE_CONFLICT when the log went on and was cleaned while this process slept.
 */
export const appendActions = async (
  files: Files,
  log: { table: string; version: number },
  actions: readonly Action[]
): Promise<boolean> => {
  const { table, version } = log
  const path = commitPath(table, version)
  if (!(await files.putIfAbsent(path, encodeActions(actions)))) return false
  if (await isLinked(files, log, actions)) return true
  await files.delete(path)
  throw new Failure('E_LAKE_CONFLICT', `Version ${version} of ${table} was cleaned long ago`, {
    hint: 'The process slept for days; open the lake again.',
    retriable: true
  })
}

/**
 * Whether a commit that was just written belongs to the log. Into a log that was cleaned while its
 * writer slept anything could be written; but then the commit before it is gone, unless the writer
 * slept only afterwards, and others went on from what it wrote.
 */
const isLinked = async (
  files: Files,
  { table, version }: { table: string; version: number },
  actions: readonly Action[]
): Promise<boolean> => {
  if (version === 0) return isFirst(files, table)
  if ((await files.stat(commitPath(table, version - 1))) !== null) return true
  const next = await readActions(files, table, version + 1)
  const parent = decisionOf(next ?? [])?.parent
  return parent !== undefined && parent === decisionOf(actions)?.attempt
}

/** What a commit of `ranges` decided; undefined in the logs of other tables. */
export const decisionOf = (actions: readonly Action[]): CommitInfo['tallystream'] =>
  actions.find((action) => action.commitInfo !== undefined)?.commitInfo?.tallystream

/** Others may have committed already on top of a log that this process began. */
const isFirst = async (files: Files, table: string): Promise<boolean> => {
  const versions = (await files.list(logFolder(table))).map(versionOfCommit)
  if (versions.every((found) => found === null || found === 0)) return true
  return (await files.stat(commitPath(table, 1))) !== null
}

/** What a table knows after one more commit. */
export const afterActions = (log: TableLog, actions: readonly Action[]): TableLog => {
  const next = { ...log, version: log.version + 1 }
  for (const { txn, metaData } of actions) {
    if (metaData != null) next.metaData = metaData
    if (txn?.appId === APP_ID) next.applied = Math.max(next.applied, txn.version)
  }
  return next
}

/**
 * Reads on to the end of a table's log. The names of what was read are durable then: a power failure
 * may take back one that another process wrote, and leave what is written on top of it.
 */
export const followLog = async (files: Files, from: TableLog): Promise<TableLog> => {
  let log = from
  for (;;) {
    const actions = await readActions(files, log.table, log.version + 1)
    if (actions === null) break
    log = afterActions(log, actions)
  }
  if (log.version > from.version) await files.persist(logFolder(log.table))
  return log
}
