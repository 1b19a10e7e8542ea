import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { LiveFile, Range } from './commit.ts'
import { commitPath, versionName, type TableLog } from './delta-log.ts'
import type { Files } from './files.ts'
import { fileKey, positionKey, type Fold, type Tombstone } from './head.ts'
import { RANGES } from './ranges-log.ts'
import { sealFile } from './seal-files.ts'
import { sealOf } from './seal.ts'

/**
 * The fold at one version, saved beside the log, so that a lake opens fast and old commits can be
 * cleaned. It is a copy of what the commits say and never the truth: it counts only when its own
 * hash holds and the commit it was made at is still the one in the log.
 */
export type Start = {
  fold: Fold
  /** What the log of `ranges` said there. */
  log: TableLog
  /** Logs of the other tables; all of them held everything up to the version. */
  tables: readonly TableLog[]
}

export const HEADS_FOLDER = `${RANGES}/_heads`

export const headPath = (version: number): string =>
  `${HEADS_FOLDER}/${versionName(version)}.json.gz`

export const versionOfHead = (path: string): number | null => {
  const name = /\/_heads\/(\d{20})\.json\.gz$/.exec(path)?.[1]
  return name === undefined ? null : Number(name)
}

type SavedHead = {
  version: number
  attempt: string
  timestampMs: number
  /** Of the commit file of this version. */
  commitSha256: string
  positions: Range[]
  files: LiveFile[]
  state: [string, unknown][]
  tombstones: Tombstone[]
  log: TableLog
  tables: TableLog[]
}

/** Saves the fold; the tables given must hold every commit up to its version. */
export const saveHead = async (files: Files, start: Start): Promise<void> => {
  const { fold, log, tables } = start
  const { version } = fold.head
  const commit = await files.seal(commitPath(RANGES, version))
  if (commit === null) return
  const saved: SavedHead = {
    version,
    attempt: fold.attempt,
    timestampMs: fold.timestampMs,
    commitSha256: commit.sha256,
    positions: [...fold.head.positions.values()],
    files: [...fold.head.files.values()].flatMap((byPath) => [...byPath.values()]),
    state: [...fold.head.state],
    tombstones: [...fold.tombstones.values()],
    log,
    tables: [...tables]
  }
  const bytes = encode(saved)
  await sealFile(files, headPath(version), sealOf(bytes))
  await files.put(headPath(version), bytes)
}

/**
 * The newest saved head at or below a version that can be trusted; null when there is none. One
 * whose commit has been cleaned serves its own version alone: that is what pins need.
 */
export const readSavedHead = async (files: Files, versionMax: number): Promise<Start | null> => {
  const versions = (await files.list(HEADS_FOLDER))
    .map(versionOfHead)
    .filter((version) => version !== null)
    .filter((version) => version <= versionMax)
  for (const version of versions.reverse()) {
    const saved = decode(await files.get(headPath(version)))
    if (saved?.version !== version) continue
    const commit = await files.seal(commitPath(RANGES, version))
    const trusted = commit === null ? version === versionMax : commit.sha256 === saved.commitSha256
    if (trusted) return restore(saved)
  }
  return null
}

/** Version of the newest saved head, whatever it is worth; −1 when there is none. */
export const newestSavedVersion = async (files: Files): Promise<number> => {
  const versions = (await files.list(HEADS_FOLDER)).map(versionOfHead)
  return versions.findLast((version) => version !== null) ?? -1
}

const restore = (saved: SavedHead): Start => {
  const { version, attempt, timestampMs, log, tables } = saved
  const files = new Map<LiveFile['table'], Map<string, LiveFile>>()
  for (const file of saved.files) {
    const byPath = files.get(file.table) ?? new Map<string, LiveFile>()
    files.set(file.table, byPath.set(file.path, file))
  }
  const positions = new Map(saved.positions.map((range) => [positionKey(range), range]))
  const head = { version, positions, files, state: new Map(saved.state) }
  const tombstones = new Map(saved.tombstones.map((tombstone) => [fileKey(tombstone), tombstone]))
  return { fold: { head, attempt, timestampMs, tombstones }, log, tables }
}

/** Fastest level: the text shrinks tenfold as it is, and this runs between two flushes. */
const GZIP_LEVEL = 1

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const encode = (saved: SavedHead): Uint8Array => {
  const json = JSON.stringify(saved)
  return gzipSync(`${sha256(json)}\n${json}`, { level: GZIP_LEVEL })
}

/** Null for anything but what `encode` made: a damaged copy is as good as none. */
const decode = (bytes: Uint8Array | null): SavedHead | null => {
  const text = bytes === null ? null : unzip(bytes)
  const cut = text?.indexOf('\n') ?? -1
  if (text === null || cut < 0) return null
  const json = text.slice(cut + 1)
  return sha256(json) === text.slice(0, cut) ? (JSON.parse(json) as SavedHead) : null
}

const unzip = (bytes: Uint8Array): string | null => {
  try {
    return gunzipSync(bytes).toString()
  } catch {
    return null
  }
}
