import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { TABLES, type TableName } from '../../schemas/tables.ts'
import type { Commit } from './commit.ts'
import { commitPath, encodeActions, readActions } from './delta-log.ts'
import type { DeltaSchema } from './delta-schema.ts'
import { openLake, type Lake } from './lake.ts'
import { localFiles } from './local-files.ts'
import {
  commitOf,
  deltaPaths,
  flush,
  flushBare,
  gapSelect,
  headPaths,
  landRows,
  nextOf,
  openScratchLake,
  rangeOf,
  scratchFolder
} from './scratch-lake.ts'

const NAMES = Object.keys(TABLES) as TableName[]

const assertTablesFollow = async (lake: Lake): Promise<void> => {
  const head = await lake.head()
  for (const table of NAMES) {
    assert.deepEqual(await deltaPaths(lake.doors.files, table), headPaths(head, table), table)
  }
}

test('a folder without a lake is refused, unless one is to be created with all tables', async (t) => {
  const folder = await scratchFolder(t)
  await assert.rejects(openScratchLake(folder, { create: false }), { code: 'E_LAKE_MISSING' })
  const lake = await openScratchLake(folder)
  assert.equal((await lake.head()).version, 0)
  for (const table of NAMES) {
    const actions = (await readActions(lake.doors.files, table, 0)) ?? []
    const metaData = actions.find((action) => action.metaData !== undefined)?.metaData
    const schema = JSON.parse(metaData?.schemaString ?? '{}') as DeltaSchema
    assert.deepEqual(
      schema.fields.map(({ name }) => name),
      TABLES[table].map(({ name }) => name)
    )
  }
  assert.equal((await (await openScratchLake(folder, { create: false })).head()).version, 0)
})

test('processes that create a lake at once and go on end up in one', async (t) => {
  const folder = await scratchFolder(t)
  const start = async (partition: number): Promise<void> => {
    const lake = await openScratchLake(folder)
    for (let commits = 0; commits < 3; commits++) await flushBare(lake, partition)
  }
  await Promise.all([0, 1, 2, 3, 4, 5].map(start))
  const lake = await openScratchLake(folder)
  const head = await lake.head()
  assert.equal(head.version, 18)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((partition) => nextOf(head, partition)),
    [30, 30, 30, 30, 30, 30]
  )
  await assertTablesFollow(lake)
})

test('a commit moves positions, files and state, and every open lake sees it', async (t) => {
  const folder = await scratchFolder(t)
  const [writer, reader] = [await openScratchLake(folder), await openScratchLake(folder)]
  assert.equal(await flush(writer, 0, 10), 1)
  assert.equal(await flush(writer, 1, 5), 2)
  await writer.commit(() => commitOf({ kind: 'detect', state: { 'fold/x': { at: 7 } } }))
  const head = await reader.head()
  assert.equal(head.version, 3)
  assert.deepEqual([nextOf(head, 0), nextOf(head, 1)], [10, 5])
  assert.deepEqual(head.state.get('fold/x'), { at: 7 })
  assert.equal(head.files.get('gaps')?.size, 2)
  await assertTablesFollow(reader)
  await writer.commit(() => commitOf({ kind: 'detect', state: { 'fold/x': null } }))
  assert.equal((await reader.head()).state.has('fold/x'), false)
  assert.deepEqual(head.state.get('fold/x'), { at: 7 }, 'a head that was handed out stays')
})

test('a build that returns null commits nothing', async (t) => {
  const lake = await openScratchLake(await scratchFolder(t))
  assert.equal(await lake.commit(() => null), null)
  assert.equal((await lake.head()).version, 0)
})

test('a writer that loses the race builds again on the newer head', async (t) => {
  const folder = await scratchFolder(t)
  const [slow, quick] = [await openScratchLake(folder), await openScratchLake(folder)]
  const seen: number[] = []
  const version = await slow.commit(async (head) => {
    seen.push(head.version)
    if (seen.length === 1) await flushBare(quick, 1)
    return commitOf({ ranges: [rangeOf(0, 0, 3)] })
  })
  assert.deepEqual(seen, [0, 1])
  assert.equal(version, 2)
  assert.deepEqual(headPaths(await quick.head(), 'ranges').length, 2)
})

test('a zombie is told that its partition has moved, and nothing of it becomes visible', async (t) => {
  const folder = await scratchFolder(t)
  const [zombie, heir] = [await openScratchLake(folder), await openScratchLake(folder)]
  await flush(zombie, 0, 10)
  const stale = await landRows(zombie, 'gaps', gapSelect(10, 5), 5)
  await flush(heir, 0, 20)
  const late = commitOf({ ranges: [rangeOf(0, 10, 15)], adds: [stale] })
  await assert.rejects(
    zombie.commit(() => late),
    { code: 'E_LAKE_CONFLICT', retriable: false }
  )
  const head = await heir.head()
  assert.equal(nextOf(head, 0), 30)
  assert.equal(head.files.get('gaps')?.has(stale.path), false)
  await assertTablesFollow(heir)
})

const REFUSALS: [string, Partial<Commit>][] = [
  ['a range that leaves offsets out', { ranges: [rangeOf(0, 11, 12)] }],
  ['a range of another incarnation', { ranges: [{ ...rangeOf(0, 10, 12), incarnation: 'i2' }] }],
  ['two ranges of a partition that overlap', { ranges: [rangeOf(1, 0, 5), rangeOf(1, 4, 6)] }],
  ['the removal of a file that is not live', { removes: [{ table: 'gaps', path: 'x.parquet' }] }]
]

for (const [name, part] of REFUSALS) {
  test(`a commit with ${name} is refused`, async (t) => {
    const lake = await openScratchLake(await scratchFolder(t))
    await flush(lake, 0, 10)
    await assert.rejects(
      lake.commit(() => commitOf(part)),
      { code: 'E_LAKE_CONFLICT' }
    )
    assert.equal((await lake.head()).version, 1)
  })
}

test('ranges of one partition may follow one another, and adopting may jump', async (t) => {
  const lake = await openScratchLake(await scratchFolder(t))
  await lake.commit(() => commitOf({ ranges: [rangeOf(0, 0, 5), rangeOf(0, 5, 9)] }))
  const fresh = { ...rangeOf(0, 0, 0), incarnation: 'i2' }
  await lake.commit(() => commitOf({ kind: 'adopt', ranges: [fresh] }))
  assert.equal((await lake.head()).positions.get('usage/0')?.incarnation, 'i2')
})

test('a commit that names a file which is not there is refused', async (t) => {
  const lake = await openScratchLake(await scratchFolder(t))
  const file = await landRows(lake, 'gaps', gapSelect(0, 1), 1)
  await lake.doors.files.delete(`gaps/${file.path}`)
  await assert.rejects(
    lake.commit(() => commitOf({ adds: [file] })),
    { code: 'E_LAKE_CORRUPT' }
  )
})

test('tables follow what a crashed writer decided, at opening or by any other writer', async (t) => {
  const folder = await scratchFolder(t)
  const [writer, other] = [await openScratchLake(folder), await openScratchLake(folder)]
  await flush(writer, 0, 10)
  // As if the writer had died between its commit and the tables' commits.
  await writer.doors.files.delete(commitPath('gaps', 1))
  assert.deepEqual(await deltaPaths(other.doors.files, 'gaps'), [])
  await other.rollForward()
  await assertTablesFollow(other)
  await flush(other, 0, 5)
  await other.doors.files.delete(commitPath('gaps', 2))
  await assertTablesFollow(await openScratchLake(folder))
})

test('time in the log never runs backwards, whatever the clock does', async (t) => {
  let nowMs = 2_000_000_000_000
  const lake = await openScratchLake(await scratchFolder(t), { nowMs: () => nowMs })
  await flushBare(lake, 0)
  nowMs -= 60_000
  await flushBare(lake, 0)
  const [action] = (await readActions(lake.doors.files, 'ranges', 2)) ?? []
  assert.equal(action?.commitInfo?.timestamp, 2_000_000_000_000)
})

test('earlier versions can be read, later and negative ones can not', async (t) => {
  const lake = await openScratchLake(await scratchFolder(t))
  await flush(lake, 0, 10)
  await flush(lake, 0, 10)
  const before = await lake.headAt(1)
  assert.equal(before.version, 1)
  assert.equal(nextOf(before, 0), 10)
  assert.equal(before.files.get('gaps')?.size, 1)
  await assert.rejects(lake.headAt(3), { code: 'E_USAGE' })
  await assert.rejects(lake.headAt(-1), { code: 'E_USAGE' })
})

test('a table that lacks columns of this build gains them, and keeps those of another', async (t) => {
  const folder = await scratchFolder(t)
  const files = localFiles(folder)
  const lake = await openScratchLake(folder)
  await flush(lake, 0, 1)
  for (const table of ['gaps', 'ranges'] as const) {
    const actions = (await readActions(files, table, 0)) ?? []
    const metaData = actions.find((action) => action.metaData !== undefined)?.metaData
    assert.ok(metaData)
    const schema = JSON.parse(metaData.schemaString) as DeltaSchema
    const foreign = { name: 'later', type: 'long', nullable: true, metadata: {} }
    schema.fields = [...schema.fields.slice(0, -2), foreign]
    metaData.schemaString = JSON.stringify(schema)
    await files.put(commitPath(table, 0), encodeActions(actions))
  }
  const newer = await openScratchLake(folder)
  for (const [table, version] of [
    ['gaps', 2],
    ['ranges', 2]
  ] as const) {
    const actions = (await readActions(files, table, version)) ?? []
    const metaData = actions.find((action) => action.metaData !== undefined)?.metaData
    const schema = JSON.parse(metaData?.schemaString ?? '{"fields":[]}') as DeltaSchema
    const names = schema.fields.map(({ name }) => name)
    const own = TABLES[table].map(({ name }) => name)
    assert.deepEqual(names, [...own.slice(0, -2), 'later', ...own.slice(-2)], table)
  }
  assert.equal(await flush(newer, 0, 1), 3)
  await assertTablesFollow(newer)
})

test('a commit of ranges that another program wrote is named, not passed over', async (t) => {
  const folder = await scratchFolder(t)
  const lake = await openScratchLake(folder)
  const info = { timestamp: 1, operation: 'OPTIMIZE', operationParameters: {}, engineInfo: 'x' }
  await lake.doors.files.put(commitPath('ranges', 1), encodeActions([{ commitInfo: info }]))
  await assert.rejects(lake.head(), { code: 'E_LAKE_CORRUPT' })
  const other = await openScratchLake(await scratchFolder(t))
  await flushBare(other, 0)
  const foreign = await other.doors.files.get(commitPath('ranges', 1))
  await lake.doors.files.put(commitPath('ranges', 1), foreign ?? new Uint8Array())
  await assert.rejects(lake.head(), { code: 'E_LAKE_CORRUPT' })
  await lake.doors.files.put(commitPath('ranges', 1), Buffer.from('{"commitInfo":'))
  await assert.rejects(openScratchLake(folder), { code: 'E_LAKE_CORRUPT' })
})

test('a failure of the tables to follow is told by the next commit, not by the one decided', async (t) => {
  const folder = await scratchFolder(t)
  const files = localFiles(folder)
  let full = false
  const lake = await openScratchLake(folder, {
    files: {
      ...files,
      putIfAbsent: async (name, bytes) => {
        if (full && name.startsWith('gaps/')) await writeFile('/dev/full', bytes)
        return files.putIfAbsent(name, bytes)
      }
    }
  })
  const file = await landRows(lake, 'gaps', gapSelect(0, 1), 1)
  full = true
  assert.equal(await lake.commit(() => commitOf({ adds: [file] })), 1)
  await assert.rejects(flushBare(lake, 0), { code: 'ENOSPC' })
  assert.equal((await lake.head()).version, 1)
  full = false
  assert.equal(await flushBare(lake, 0), 2)
  await assertTablesFollow(lake)
})

test('opening takes the folder by default and needs no more than a Parquet writer', async (t) => {
  const folder = await scratchFolder(t)
  await openScratchLake(folder)
  const lake = await openLake(folder, { writeParquet: async () => undefined })
  assert.equal((await lake.head()).version, 0)
})
