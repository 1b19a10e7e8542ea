import assert from 'node:assert/strict'
import { utimes, writeFile } from 'node:fs/promises'
import { before, after, describe, test } from 'node:test'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { crashAt } from './crash-point.ts'
import { checkpointPath } from './delta-checkpoint.ts'
import { commitPath } from './delta-log.ts'
import type { Lake } from './lake.ts'
import { takeLease } from './lease.ts'
import { localFiles } from './local-files.ts'
import { mergeSmallFiles } from './merge.ts'
import { pin } from './pins.ts'
import { retain } from './retain.ts'
import { planMarks } from './retention.ts'
import { headPath } from './saved-head.ts'
import {
  SCRATCH_ROOT,
  commitOf,
  flush,
  gapSelect,
  headPaths,
  landRows,
  nextOf,
  openScratchLake,
  scratchFolder,
  sharedEngine
} from './scratch-lake.ts'
import { scrub } from './scrub.ts'

const DAY_MS = 24 * 60 * 60 * 1000

const replaceGaps = async (lake: Lake): Promise<number | null> => {
  const file = await landRows(lake, 'gaps', gapSelect(0, 1), 1)
  return lake.commit((head) => {
    const removes = headPaths(head, 'gaps').map((name) => ({ table: 'gaps' as const, path: name }))
    return commitOf({ kind: 'settle', adds: [file], removes })
  })
}

const isParquet = (name: string): boolean => name.endsWith('.parquet')

const isThere = async (lake: Lake, name: string): Promise<boolean> =>
  (await lake.doors.files.stat(name)) !== null

describe('retaining', () => {
  let grown = ''
  before(async () => {
    grown = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-grown-'))
    const lake = await openScratchLake(grown)
    for (let commits = 0; commits < 105; commits++) await flush(lake, 0, 1)
  })
  after(() => rm(grown, { recursive: true }))

  /** A copy of the lake, opened by a clock that runs `days` ahead. */
  const openAhead = async (folder: string, days: number): Promise<Lake> =>
    openScratchLake(folder, { nowMs: () => Date.now() + days * DAY_MS })
  const copy = async (t: Parameters<typeof scratchFolder>[0]): Promise<string> => {
    const folder = await scratchFolder(t)
    await cp(grown, folder, { recursive: true })
    return folder
  }

  test('while every version is young nothing goes, not even what was replaced', async (t) => {
    const lake = await openAhead(await copy(t), 6)
    const whole = await lake.head()
    await replaceGaps(await openAhead(lake.doors.files.location(''), 0))
    assert.deepEqual(await retain(lake), { logFiles: 0, dataFiles: 0, unfinishedFiles: 0 })
    for (const name of headPaths(whole, 'gaps')) assert.ok(await isThere(lake, `gaps/${name}`))
    assert.equal((await lake.headAt(60)).files.get('gaps')?.size, 60)
  })

  test('after 7 days replaced files, old commits and old marks go, and all still opens', async (t) => {
    const folder = await copy(t)
    const [replaced, lake] = [await openAhead(folder, 0), await openAhead(folder, 8)]
    const before = headPaths(await replaced.head(), 'gaps')
    await replaceGaps(replaced)
    const report = await retain(lake)
    assert.equal(report.dataFiles, 105)
    for (const name of before) assert.equal(await isThere(lake, `gaps/${name}`), false)
    for (const table of ['ranges', 'gaps']) {
      assert.equal(await isThere(lake, commitPath(table, 98)), false, table)
      assert.ok(await isThere(lake, commitPath(table, 99)), table)
      assert.ok(await isThere(lake, checkpointPath(table, 100)), table)
    }
    assert.ok(await isThere(lake, headPath(100)))
    assert.deepEqual((await scrub(lake.doors.files)).damages, [])
    const reopened = await openAhead(folder, 8)
    assert.deepEqual(await reopened.head(), await lake.head())
    // Its commits are still there, its files are not.
    await assert.rejects(reopened.headAt(103), { code: 'E_LAKE_MISSING' })
    await assert.rejects(reopened.headAt(99), { code: 'E_LAKE_MISSING' })
    assert.equal((await reopened.fold()).tombstones.size, 0)
    assert.equal(await flush(reopened, 0, 1), 108)
    assert.deepEqual(await retain(lake), { logFiles: 0, dataFiles: 0, unfinishedFiles: 0 })
  })

  test('a pinned version keeps its head and its files, until the pin is taken away', async (t) => {
    const folder = await copy(t)
    const young = await openAhead(folder, 0)
    await pin(young, 'month/2026-01', 42)
    const pinned = await young.headAt(42)
    // As if the process had died between the commit of the pin and the saving of its head.
    assert.ok(await isThere(young, headPath(42)))
    await young.doors.files.delete(headPath(42))
    await replaceGaps(young)
    const lake = await openAhead(folder, 8)
    assert.equal((await retain(lake)).dataFiles, 105 - 42)
    assert.deepEqual(await (await openAhead(folder, 8)).headAt(42), pinned)
    for (const name of headPaths(pinned, 'gaps')) assert.ok(await isThere(lake, `gaps/${name}`))
    await assert.rejects(lake.headAt(41), { code: 'E_LAKE_MISSING' })
    await assert.rejects(pin(lake, 'gone', 41), { code: 'E_LAKE_MISSING' })

    await pin(lake, 'month/2026-01', null)
    assert.equal((await retain(lake)).dataFiles, 42)
    await assert.rejects(lake.headAt(42), { code: 'E_LAKE_MISSING' })
  })

  test('leavings of dead writers go after a day, and what a writer still holds stays', async (t) => {
    const lake = await openAhead(await copy(t), 0)
    const orphan = await landRows(lake, 'gaps', gapSelect(0, 1), 1)
    const held = await landRows(lake, 'gaps', gapSelect(0, 1), 1)
    const staged = await lake.stage('events_raw')
    await writeFile(staged.local, 'half a fi')
    const old = new Date(Date.now() - 2 * DAY_MS)
    await utimes(lake.doors.files.location(`gaps/${orphan.path}`), old, old)
    await utimes(staged.local, old, old)
    assert.deepEqual(await retain(lake), { logFiles: 0, dataFiles: 1, unfinishedFiles: 1 })
    assert.equal(await lake.commit(() => commitOf({ adds: [held] })), 106)
    await assert.rejects(
      lake.commit(() => commitOf({ adds: [orphan] })),
      { code: 'E_LAKE_CORRUPT' }
    )
  })

  test('a damaged saved head is not what older commits are thrown away for', async (t) => {
    const lake = await openAhead(await copy(t), 8)
    await lake.doors.files.put(headPath(100), Buffer.from('damaged'))
    const old = new Date(Date.now() - DAY_MS)
    await utimes(lake.doors.files.location(headPath(100)), old, old)
    assert.equal((await retain(lake)).logFiles, 0)
    assert.ok(await isThere(lake, commitPath('ranges', 1)))
  })

  test('cut off at any point it leaves a lake that opens, and ends the next time', async (t) => {
    const replaced = await copy(t)
    await replaceGaps(await openAhead(replaced, 0))
    const whole = await (await openAhead(replaced, 0)).head()
    // Some steps among the deletions of either log, of marks and of data, and in the last commit.
    for (const at of [1, 90, 198, 203, 300, 413, 420]) {
      const folder = await scratchFolder(t)
      await cp(replaced, folder, { recursive: true, preserveTimestamps: true })
      const step = crashAt(at, (name) => {
        throw new Error(`died at ${name}`)
      })
      const nowMs = (): number => Date.now() + 8 * DAY_MS
      const mortal = await openScratchLake(folder, { files: localFiles(folder, { step }), nowMs })
      await assert.rejects(retain(mortal), /died at/, `step ${at}`)
      const heir = await openAhead(folder, 8)
      assert.deepEqual((await heir.head()).files, whole.files, `step ${at}`)
      assert.deepEqual((await scrub(heir.doors.files)).damages, [])
      await retain(heir)
      assert.deepEqual(await retain(heir), { logFiles: 0, dataFiles: 0, unfinishedFiles: 0 })
      assert.equal((await heir.doors.files.list('gaps')).filter(isParquet).length, 2)
    }
  })

  test('merging small files keeps every row and tells streams that no data changed', async (t) => {
    const lake = await openAhead(await copy(t), 0)
    assert.equal(await mergeSmallFiles(lake), 210, '105 files of gaps and 105 of ranges')
    const head = await lake.head()
    assert.deepEqual([head.files.get('gaps')?.size, head.files.get('ranges')?.size], [1, 1])
    const engine = await sharedEngine()
    for (const table of ['gaps', 'ranges'] as const) {
      const name = lake.doors.files.location(`${table}/${headPaths(head, table)[0]}`)
      const [row] = await engine.rows(
        `SELECT count(*) AS n, sum(next - first) AS covered, list(first) = list_sort(list(first)) AS kept FROM read_parquet('${name}')`
      )
      assert.deepEqual(
        { ...row, covered: Number(row?.['covered']) },
        { n: 105n, covered: 105, kept: true }
      )
    }
    assert.equal(await mergeSmallFiles(lake), 0)
    assert.equal(nextOf(head, 0), 105)
  })

  test('the scrub names missing, cut and changed files, and what to read again', async (t) => {
    const lake = await openAhead(await copy(t), 0)
    const { files } = lake.doors
    const [missing, cut, changed] = headPaths(await lake.head(), 'gaps').slice(0, 3)
    await files.delete(`gaps/${missing}`)
    await files.put(`gaps/${cut}`, Buffer.from('PAR1'))
    const bytes = Uint8Array.from((await files.get(`gaps/${changed}`)) ?? [])
    bytes[20] = (bytes[20] ?? 0) ^ 1
    await files.put(`gaps/${changed}`, bytes)
    const { damages, files: count } = await scrub(lake.doors.files)
    assert.equal(count, 210)
    assert.deepEqual(
      new Map(damages.map((damage) => [damage.path, damage.problem])),
      new Map([
        [missing, 'missing'],
        [cut, 'size'],
        [changed, 'content']
      ])
    )
    for (const { kind, ranges } of damages) {
      assert.equal(kind, 'flush')
      assert.equal(ranges?.length, 1)
    }
  })

  test('the scrub names a commit that is lost between two others, in each log', async (t) => {
    const { files } = (await openAhead(await copy(t), 0)).doors
    const lost = [commitPath('gaps', 40), commitPath('ranges', 30), commitPath('ranges', 31)]
    for (const path of lost) await files.delete(path)
    const { damages } = await scrub(files)
    assert.deepEqual(
      damages.map(({ table, path, problem }) => [`${table}/${path}`, problem]),
      lost.map((path) => [path, 'missing'])
    )
  })
})

test('quarantined bytes are left behind after 6 days, their rows are not', async (t) => {
  const folder = await scratchFolder(t)
  let days = 0
  const lake = await openScratchLake(folder, { nowMs: () => Date.now() + days * DAY_MS })
  const select = `SELECT 'usage' AS topic, 0::INTEGER AS "partition", 1::BIGINT AS "offset", NULL::TIMESTAMPTZ AS append_time, 'E_RECORD_UNREADABLE' AS code, 'x' AS reason, 'secret'::BLOB AS bytes, 6::BIGINT AS byte_length`
  const file = await landRows(lake, 'quarantine', select, 1)
  await lake.commit(() => commitOf({ adds: [file] }))
  days = 5
  assert.equal(await mergeSmallFiles(lake), 0)
  days = 6.1
  assert.equal(await mergeSmallFiles(lake), 1)
  assert.equal((await retain(lake)).dataFiles, 0)
  days = 7.2
  assert.equal((await retain(lake)).dataFiles, 1)
  const [name] = headPaths(await lake.headAt(1), 'quarantine')
  const where = lake.doors.files.location(`quarantine/${name}`)
  const rows = await (
    await sharedEngine()
  ).rows(`SELECT bytes IS NULL AS gone, byte_length FROM read_parquet('${where}')`)
  assert.deepEqual(rows, [{ gone: true, byte_length: 6n }])
  assert.equal(await mergeSmallFiles(lake), 0)
})

test('marks are thinned: the newest, one for every 1000 versions, and the one that others need', () => {
  const marks = Array.from({ length: 100 }, (_, index) => ({
    version: index * 50,
    modifiedMs: index * DAY_MS
  }))
  const nowMs = 99 * DAY_MS
  const { base, drops } = planMarks(marks, nowMs, [150])
  assert.equal(base, 92 * 50)
  const kept = marks.map(({ version }) => version).filter((version) => !drops.includes(version))
  assert.deepEqual(kept, [150, 4600, 4850, 4900, 4950])
  const young = planMarks(marks, DAY_MS)
  assert.equal(young.base, null)
  assert.deepEqual(
    marks.map(({ version }) => version).filter((version) => !young.drops.includes(version)),
    [0, 1000, 2000, 3000, 4000, 4850, 4900, 4950]
  )
})

test('a lease is held by one, passes on when it ends, and is not renewed by who lost it', async (t) => {
  const files = localFiles(await scratchFolder(t))
  let nowMs = 1_000
  let ids = 0
  const doors = { files, nowMs: () => nowMs, newId: () => `holder-${++ids}` }
  const first = await takeLease(doors, 'settle', 100)
  assert.ok(first)
  assert.equal(await takeLease(doors, 'settle', 100), null)
  assert.ok(await takeLease(doors, 'detect', 100), 'another name is another lease')
  nowMs += 60
  assert.equal(await first.renew(), true)
  nowMs += 60
  assert.equal(await takeLease(doors, 'settle', 100), null)
  nowMs += 60
  const rivals = await Promise.all([1, 2, 3].map(() => takeLease(doors, 'settle', 100)))
  const winners = rivals.filter((lease) => lease !== null)
  assert.equal(winners.length, 1)
  assert.equal(await first.renew(), false)
  await first.release()
  assert.equal(await takeLease(doors, 'settle', 100), null)
  await winners[0]?.release()
  assert.ok(await takeLease(doors, 'settle', 100))
  assert.ok((await files.list('_leases/settle')).length <= 2, 'old claims are forgotten')
})
