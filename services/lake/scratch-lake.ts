import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { TableName } from '../../schemas/tables.ts'
import type { Commit, Head, Range, TableFile } from './commit.ts'
import { decodeActions, logFolder, versionOfCommit } from './delta-log.ts'
import { Engine } from './engine.ts'
import type { Files } from './files.ts'
import { openLake, type Lake, type LakeOptions } from './lake.ts'
import { parquetWriter } from './land-table.ts'

/** Lakes for tests: real files, a real engine, and commits that need no events. */

/**
 * Memory, where there is such a folder: no test can see whether a disk was really reached, and
 * waiting for it took nine tenths of the time.
 */
export const SCRATCH_ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A folder that goes when the test ends. */
export const scratchFolder = async (t: Pick<TestContext, 'after'>): Promise<string> => {
  const folder = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

let engine: Promise<Engine> | null = null

/** One engine for all lakes of a test process. */
export const sharedEngine = (): Promise<Engine> => (engine ??= Engine.open())

export const openScratchLake = async (
  folder: string,
  options: Partial<LakeOptions> = {}
): Promise<Lake> =>
  openLake(folder, {
    writeParquet: parquetWriter(await sharedEngine()),
    create: true,
    ...options
  })

/** Lands a file of a table out of a SELECT. */
export const landRows = async (
  lake: Lake,
  table: TableName,
  select: string,
  rows: number
): Promise<TableFile> => {
  const staged = await lake.stage(table)
  await lake.doors.writeParquet(select, staged.local)
  return lake.publish(staged, { rows, timeUsMin: null, timeUsMax: null })
}

export const gapSelect = (first: number, rows: number): string =>
  `SELECT 'usage' AS topic, 0::INTEGER AS "partition", 'i1' AS incarnation, ` +
  `(${first} + i)::BIGINT AS first, (${first} + i + 1)::BIGINT AS next, 'retention' AS reason, ` +
  `'seen' AS detail, TIMESTAMPTZ '2026-01-01T00:00:00Z' AS noticed_after FROM range(${rows}) t(i)`

export const rangeOf = (partition: number, first: number, next: number): Range => ({
  topic: 'usage',
  partition,
  incarnation: 'i1',
  first,
  next,
  anchor: next > first ? { offset: next - 1, crc32c: next * 7 } : null,
  appendedUntilMs: 1_767_225_600_000 + next,
  watermarkMs: 1_767_225_600_000 + next
})

export const nextOf = (head: Head, partition: number): number =>
  head.positions.get(`usage/${partition}`)?.next ?? 0

export const commitOf = (part: Partial<Commit>): Commit => ({
  kind: 'flush',
  generation: 'g1',
  ranges: [],
  adds: [],
  removes: [],
  state: {},
  ...part
})

/** Flushes `count` offsets of a partition, with one row of `gaps` for each. */
export const flush = async (lake: Lake, partition: number, count: number): Promise<number> => {
  const first = nextOf(await lake.head(), partition)
  const file = await landRows(lake, 'gaps', gapSelect(first, count), count)
  const version = await lake.commit((head) => {
    if (nextOf(head, partition) !== first) return null
    return commitOf({ ranges: [rangeOf(partition, first, first + count)], adds: [file] })
  })
  if (version === null) throw new Error(`partition ${partition} moved under its only writer`)
  return version
}

/** A flush that lands no files: what the commit protocol costs by itself. */
export const flushBare = (lake: Lake, partition: number): Promise<number | null> =>
  lake.commit((head) => {
    const first = nextOf(head, partition)
    return commitOf({ ranges: [rangeOf(partition, first, first + 10)] })
  })

/** Live paths of a table as its own Delta log says, read without any code of the lake's fold. */
export const deltaPaths = async (files: Files, table: string): Promise<string[]> => {
  const live = new Set<string>()
  for (const path of await files.list(logFolder(table))) {
    if (versionOfCommit(path) === null) continue
    const bytes = await files.get(path)
    for (const { add, remove } of decodeActions(bytes ?? new Uint8Array(), path)) {
      if (remove !== undefined) live.delete(remove.path)
      if (add !== undefined) live.add(add.path)
    }
  }
  return [...live].sort()
}

export const headPaths = (head: Head, table: TableName): string[] =>
  [...(head.files.get(table)?.keys() ?? [])].sort()
