import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { TABLES, type TableName } from '../../schemas/tables.ts'
import type { Head } from './commit.ts'
import { crashAt } from './crash-point.ts'
import { EMPTY_FOLD, foldEntries, type Entry } from './head.ts'
import type { Lake } from './lake.ts'
import { localFiles } from './local-files.ts'
import { readEntry } from './ranges-log.ts'
import {
  SCRATCH_ROOT,
  commitOf,
  deltaPaths,
  flush,
  gapSelect,
  headPaths,
  landRows,
  nextOf,
  openScratchLake,
  rangeOf
} from './scratch-lake.ts'
import { scrub } from './scrub.ts'

/** So many commits that those of the tests pass the one at which head and checkpoints are saved. */
const GROWN_COMMITS = 49

/** What a lake must be after anything at all, checked without the fold that is being tested. */
const assertSound = async (lake: Lake): Promise<void> => {
  const { files } = lake.doors
  const head = await lake.head()
  const entries: Entry[] = []
  for (let version = 0; version <= head.version; version++) {
    const entry = await readEntry(files, version)
    assert.ok(entry, `version ${version} is in the log`)
    entries.push(entry)
  }
  assert.equal(await readEntry(files, head.version + 1), null)
  assert.deepEqual(head, foldEntries(EMPTY_FOLD, entries).head)
  for (const table of Object.keys(TABLES) as TableName[]) {
    assert.deepEqual(await deltaPaths(files, table), headPaths(head, table), table)
  }
  assert.deepEqual((await scrub(lake.doors.files)).damages, [])
  const rows = [...(head.files.get('gaps')?.values() ?? [])].reduce((sum, f) => sum + f.rows, 0)
  const covered = [...head.positions.values()].reduce((sum, { next }) => sum + next, 0)
  assert.equal(rows, covered, 'one row for each offset, no more and no fewer')
}

/** Replaces the oldest file of `gaps` by another with the same rows, as settling does. */
const rewriteOldest = async (lake: Lake): Promise<number | null> => {
  const oldest = [...((await lake.head()).files.get('gaps')?.values() ?? [])][0]
  if (oldest === undefined) return null
  const file = await landRows(lake, 'gaps', gapSelect(0, oldest.rows), oldest.rows)
  return lake.commit((head) => {
    if (head.files.get('gaps')?.has(oldest.path) !== true) return null
    const removes = [{ table: oldest.table, path: oldest.path }]
    return commitOf({ kind: 'settle', adds: [file], removes, state: { rewrites: head.version } })
  })
}

describe('recovery', () => {
  let grown = ''
  const copies: string[] = []
  before(async () => {
    grown = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-grown-'))
    const lake = await openScratchLake(grown)
    await flush(lake, 0, 2)
    await flush(lake, 1, 1)
    for (let done = 2; done < GROWN_COMMITS; done++) {
      await lake.commit(() => commitOf({ kind: 'detect', state: { done } }))
    }
  })
  after(async () => {
    for (const folder of [grown, ...copies]) await rm(folder, { recursive: true })
  })
  const copy = async (): Promise<string> => {
    const folder = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-copy-'))
    copies.push(folder)
    await cp(grown, folder, { recursive: true })
    return folder
  }

  /** Opens a lake whose process dies at a step. */
  const openMortal = (folder: string, at: number): Promise<Lake> => {
    const step = crashAt(at, (name) => {
      throw new Error(`died at ${name}`)
    })
    return openScratchLake(folder, { files: localFiles(folder, { step }) })
  }

  test('after a crash at every step of two commits nothing is lost, doubled or half there', async () => {
    let at = 0
    for (let finished = false; !finished;) {
      at += 1
      const folder = await copy()
      const mortal = await openMortal(folder, at)
      let told = GROWN_COMMITS
      try {
        told = (await rewriteOldest(mortal)) ?? told
        told = await flush(mortal, 1, 2)
        // The last commit may have been decided by a process that died while tables followed.
        finished =
          (await deltaPaths(mortal.doors.files, 'gaps')).length > 0 && !(await died(mortal))
      } catch (error) {
        assert.match(String(error), /died at/)
      }
      const heir = await openScratchLake(folder)
      const { version } = await heir.head()
      assert.ok(version === told || version === told + 1, `step ${at}: ${told} told, ${version} is`)
      await assertSound(heir)
      assert.equal(await flush(heir, 0, 1), version + 1)
      await rm(folder, { recursive: true })
      copies.pop()
    }
    assert.ok(at > 45, `${at} steps were tried`)
  })

  const died = (lake: Lake): Promise<boolean> =>
    lake.doors.files.delete('nothing').then(
      () => false,
      () => true
    )

  type Act =
    | { kind: 'flush'; by: number; partition: number; count: number }
    | { kind: 'rewrite'; by: number }
    | { kind: 'crash'; by: number; at: number }
    | { kind: 'reopen'; by: number }

  const by = fc.nat({ max: 1 })
  const acts: fc.Arbitrary<Act> = fc.oneof(
    fc.record({
      kind: fc.constant('flush' as const),
      by,
      partition: fc.nat({ max: 2 }),
      count: fc.integer({ min: 1, max: 4 })
    }),
    fc.record({ kind: fc.constant('rewrite' as const), by }),
    fc.record({ kind: fc.constant('crash' as const), by, at: fc.integer({ min: 1, max: 45 }) }),
    fc.record({ kind: fc.constant('reopen' as const), by })
  )

  const act = async (folder: string, lakes: Lake[], { by, ...what }: Act): Promise<void> => {
    const lake = lakes[by] as Lake
    if (what.kind === 'flush') await flush(lake, what.partition, what.count)
    if (what.kind === 'rewrite') await rewriteOldest(lake)
    if (what.kind === 'crash') {
      const mortal = await openMortal(folder, what.at)
      await flush(mortal, by, 2).catch(() => undefined)
    }
    if (what.kind === 'reopen') lakes[by] = await openScratchLake(folder)
  }

  test('whatever two writers do and whenever they die, the log, the fold and the tables agree', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { minLength: 1, maxLength: 8 }), async (sequence) => {
        const folder = await copy()
        const lakes = [await openScratchLake(folder), await openScratchLake(folder)]
        let before: Head = await (lakes[0] as Lake).head()
        for (const one of sequence) {
          await act(folder, lakes, one)
          const now = await (lakes[1 - one.by] as Lake).head()
          assert.ok(now.version >= before.version)
          for (const partition of [0, 1, 2]) {
            assert.ok(nextOf(now, partition) >= nextOf(before, partition))
          }
          before = now
        }
        await assertSound(await openScratchLake(folder))
        await rm(folder, { recursive: true })
        copies.pop()
      }),
      { numRuns: 25, seed: 20260101 }
    )
  })

  test('a range that continues nothing is refused even when it is rebased', async () => {
    const lake = await openScratchLake(await copy())
    const rival = await openScratchLake(lake.doors.files.location(''))
    let calls = 0
    const attempt = lake.commit(async () => {
      if (++calls === 1) await flush(rival, 0, 1)
      return commitOf({ ranges: [rangeOf(0, 2, 30)] })
    })
    await assert.rejects(attempt, { code: 'E_LAKE_CONFLICT' })
    assert.equal(calls, 2)
  })
})
