import type { Commit } from '../../../services/lake/commit.ts'
import { sealed } from '../../../services/lake/commit-seal.ts'
import { isPointer, lastCheckpointPath } from '../../../services/lake/delta-checkpoint.ts'
import { commitPath, encodeActions } from '../../../services/lake/delta-log.ts'
import type { Files } from '../../../services/lake/files.ts'
import { createFollower, ORIGIN } from '../../../services/lake/follower.ts'
import type { Entry } from '../../../services/lake/head.ts'
import { RANGES, rangesActions } from '../../../services/lake/ranges-log.ts'
import { headPath, readSavedHead, saveHead, type Start } from '../../../services/lake/saved-head.ts'
import { rangeOf, commitOf } from '../../../services/lake/scratch-lake.ts'
import { scrub } from '../../../services/lake/scrub.ts'
import { sealOf } from '../../../services/lake/seal.ts'
import { settledHours } from '../../../services/lake/settled-hours.ts'
import type { Target, Targets } from '../target.ts'

/** Files of the lake's log that rotted, or that another program wrote. */

class MemoryFiles implements Pick<Files, 'get' | 'list' | 'stat' | 'seal' | 'put' | 'putIfAbsent'> {
  readonly #files = new Map<string, Uint8Array>()
  get = async (path: string): Promise<Uint8Array | null> => this.#files.get(path) ?? null
  list = async (folder: string): Promise<string[]> =>
    [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`)).sort()
  stat = async (path: string): Promise<{ bytes: number; modifiedMs: number } | null> => {
    const bytes = this.#files.get(path)
    return bytes === undefined ? null : { bytes: bytes.length, modifiedMs: 0 }
  }
  seal = async (path: string): ReturnType<Files['seal']> => {
    const bytes = this.#files.get(path)
    return bytes === undefined ? null : sealOf(bytes)
  }
  put = async (path: string, bytes: Uint8Array): Promise<void> => void this.#files.set(path, bytes)
  putIfAbsent = async (path: string, bytes: Uint8Array): Promise<boolean> => {
    if (this.#files.has(path)) return false
    this.#files.set(path, bytes)
    return true
  }
}

const FILE = { bytes: 10, sha256: 'a'.repeat(64), rows: 2, timeUsMin: 1, timeUsMax: 2 }
const HOUR = {
  through: 0,
  events: 1,
  duplicates: 0,
  conflicts: 0,
  merged: 0,
  disagreements: 0,
  generation: 'g',
  next: { 'usage/0': 5 }
}

const COMMITS: readonly Commit[] = [
  commitOf({
    ranges: [rangeOf(0, 0, 5)],
    adds: [{ table: 'events_raw', path: 'a.parquet', ...FILE }]
  }),
  commitOf({
    kind: 'settle',
    adds: [{ table: 'events_settled', path: 'b.parquet', ...FILE }],
    removes: [{ table: 'events_raw', path: 'a.parquet' }],
    state: { 'hour/2026-03-01T00:00:00.000Z': HOUR, 'fold/until': 5 }
  })
]

const entryOf = (commit: Commit, version: number): Entry => ({
  version,
  timestampMs: 1_772_000_000_000 + version,
  attempt: `attempt-${version}`,
  parent: version === 0 ? '' : `attempt-${version - 1}`,
  commit
})

const lines = (version: number): string =>
  rangesActions(entryOf(COMMITS[version]!, version))
    .map((action) => `${JSON.stringify(action)}\n`)
    .join('')

const follow = async (files: MemoryFiles): Promise<Start> => {
  const newest = async (): Promise<Start> => ORIGIN
  return createFollower(files as unknown as Files, newest, ORIGIN).follow()
}

const withFirst = async (): Promise<MemoryFiles> => {
  const files = new MemoryFiles()
  await files.put(commitPath(RANGES, 0), encodeActions(rangesActions(entryOf(COMMITS[0]!, 0))))
  return files
}

/** The last commit as the bytes say, with a seal that fits and without one. */
const commit: Target = {
  name: 'commit',
  seeds: () => [Buffer.from(lines(1))],
  refuses: [],
  run: async (bytes) => {
    for (const text of [bytes, Buffer.from(sealed(bytes.toString()))]) {
      const files = await withFirst()
      await files.put(commitPath(RANGES, 1), text)
      await scrub(files as unknown as Files)
      try {
        settledHours((await follow(files)).fold.head)
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'E_LAKE_CORRUPT') throw error
      }
    }
  }
}

/** A saved head is a copy that may be worth nothing: it is never an error. */
const savedHead: Target = {
  name: 'saved-head',
  seeds: async () => {
    const files = await withFirst()
    await saveHead(files as unknown as Files, await follow(files))
    const [saved] = await files.list('ranges/_heads')
    return [Buffer.from((await files.get(saved!))!)]
  },
  refuses: [],
  run: async (bytes) => {
    const files = await withFirst()
    await files.put(headPath(0), bytes)
    await readSavedHead(files as unknown as Files, 5)
  }
}

/** `_last_checkpoint` and names of the log's folder. */
const pointer: Target = {
  name: 'checkpoint-pointer',
  seeds: () => [Buffer.from('{"version":50,"size":7,"checksum":"x"}')],
  refuses: [],
  run: async (bytes) => {
    isPointer(bytes)
    const files = await withFirst()
    await files.put(lastCheckpointPath(RANGES), bytes)
    await files.put(`ranges/_delta_log/${bytes.toString('latin1').slice(0, 60)}`, bytes)
    await scrub(files as unknown as Files)
  }
}

const lake: Targets = () => [commit, savedHead, pointer]
export default lake
