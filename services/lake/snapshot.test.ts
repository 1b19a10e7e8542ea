import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Head } from './commit.ts'
import { flush, openScratchLake, scratchFolder, sharedEngine } from './scratch-lake.ts'
import { attach } from './snapshot.ts'

test('views are those of the version that was attached last, whatever stood there before', async (t) => {
  const engine = await sharedEngine()
  const lake = await openScratchLake(await scratchFolder(t))
  const heads: Head[] = []
  for (const count of [1, 2, 4]) {
    await flush(lake, 0, count)
    heads.push(await lake.head())
  }
  const other = await openScratchLake(await scratchFolder(t))
  const counts = async (): Promise<unknown[]> =>
    engine.rows(
      'SELECT (SELECT count(*) FROM gaps)::INTEGER AS gaps, count(*)::INTEGER AS n FROM events'
    )
  for (const [version, gaps] of [
    [0, 1],
    [1, 3],
    [0, 1],
    [2, 7],
    [2, 7]
  ] as const) {
    await attach({ engine, lake }, heads[version]!)
    assert.deepEqual(await counts(), [{ gaps, n: 0 }], `version ${version}`)
  }
  await attach({ engine, lake: other }, await other.head())
  assert.deepEqual(await counts(), [{ gaps: 0, n: 0 }])
})

test('views that a statement failed to replace are made again', async (t) => {
  const engine = await sharedEngine()
  const lake = await openScratchLake(await scratchFolder(t))
  await flush(lake, 0, 3)
  const head = await lake.head()
  await attach({ engine, lake }, head)
  const files = new Map(head.files)
  const [[path, file] = []] = [...(files.get('gaps') ?? [])]
  assert.ok(path !== undefined && file !== undefined)
  files.set('gaps', new Map([['gone.parquet', { ...file, path: 'gone.parquet' }]]))
  await assert.rejects(attach({ engine, lake }, { ...head, files }), { code: 'E_SQL' })
  await attach({ engine, lake }, { ...head, files: new Map() })
  await attach({ engine, lake }, head)
  assert.deepEqual(await engine.rows('SELECT count(*)::INTEGER AS n FROM gaps'), [{ n: 3 }])
})
