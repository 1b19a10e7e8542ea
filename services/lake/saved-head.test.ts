import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { TableName } from '../../schemas/tables.ts'
import { commitPath, decodeActions, encodeActions } from './delta-log.ts'
import type { Lake } from './lake.ts'
import { localFiles } from './local-files.ts'
import { headPath, readSavedHead, saveHead } from './saved-head.ts'
import {
  SCRATCH_ROOT,
  commitOf,
  flush,
  flushBare,
  nextOf,
  openScratchLake,
  rangeOf,
  scratchFolder
} from './scratch-lake.ts'

const flushTimes = async (lake: Lake, times: number): Promise<void> => {
  for (let index = 0; index < times; index++) await flush(lake, 0, 1)
}

const deleteCommits = async (lake: Lake, table: TableName, before: number): Promise<void> => {
  for (let version = 0; version < before; version++) {
    await lake.doors.files.delete(commitPath(table, version))
  }
}

/** 50 commits make a saved head. */
const SAVED_AFTER = 50

test('a table that lost its last file is the same in a head that was saved', async (t) => {
  const folder = await scratchFolder(t)
  const lake = await openScratchLake(folder)
  await flush(lake, 0, 1)
  const [file] = [...((await lake.head()).files.get('gaps')?.values() ?? [])]
  await lake.commit(() => commitOf({ removes: [file!] }))
  for (let index = 0; index < SAVED_AFTER; index++) await flushBare(lake, 0)
  const reopened = await openScratchLake(folder, { create: false })
  assert.deepEqual((await reopened.head()).files, (await lake.head()).files)
})

describe('a lake of 101 commits', () => {
  let grown = ''
  before(async () => {
    grown = await mkdtemp(path.join(SCRATCH_ROOT, 'lake-grown-'))
    await flushTimes(await openScratchLake(grown), 101)
  })
  after(() => rm(grown, { recursive: true }))

  /** A copy that the test may spoil. */
  const copy = async (t: TestContext): Promise<string> => {
    const folder = await scratchFolder(t)
    await cp(grown, folder, { recursive: true })
    return folder
  }

  test('opens from its saved head when the commits before it are gone', async (t) => {
    const folder = await copy(t)
    const lake = await openScratchLake(folder)
    const whole = await lake.head()
    await deleteCommits(lake, 'ranges', 100)
    await deleteCommits(lake, 'gaps', 100)
    const reopened = await openScratchLake(folder, { create: false })
    assert.deepEqual(await reopened.head(), whole)
    await assert.rejects(reopened.headAt(20), { code: 'E_LAKE_MISSING' })
    assert.equal(await flush(reopened, 0, 1), 102)
    assert.ok(await reopened.doors.files.get(commitPath('gaps', 102)))

    await lake.doors.files.put(headPath(100), Buffer.from('damaged'))
    await assert.rejects(openScratchLake(folder), { code: 'E_LAKE_CORRUPT' })
  })

  test('passes over a saved head that was damaged, even where it still reads', async (t) => {
    const folder = await copy(t)
    const { doors, head } = await openScratchLake(folder)
    const whole = await head()
    const text = gunzipSync((await doors.files.get(headPath(100))) ?? new Uint8Array()).toString()
    assert.match(text, /"rows":1,/)
    await doors.files.put(headPath(100), gzipSync(text.replaceAll('"rows":1,', '"rows":2,')))
    assert.deepEqual(await (await openScratchLake(folder)).head(), whole)
    await doors.files.put(headPath(100), (await doors.files.get(headPath(50))) ?? new Uint8Array())
    assert.deepEqual(await (await openScratchLake(folder)).head(), whole)
  })

  test('passes over a saved head whose commit is not the one in the log', async (t) => {
    const folder = await copy(t)
    const lake = await openScratchLake(folder)
    const { files } = lake.doors
    const whole = await lake.head()
    const saved = await readSavedHead(files, 100)
    assert.ok(saved)
    const head = { ...saved.fold.head, state: new Map([['foreign', true]]) }
    await saveHead(files, { ...saved, fold: { ...saved.fold, head } })
    assert.equal((await (await openScratchLake(folder)).head()).state.get('foreign'), true)
    // As when an old copy of the log is restored beside newer saved heads.
    const commit = commitPath('ranges', 100)
    const actions = decodeActions((await files.get(commit)) ?? new Uint8Array(), commit)
    await files.put(commit, encodeActions([...actions, {}]))
    assert.deepEqual(await (await openScratchLake(folder)).head(), whole)
  })

  test('is not forked by a writer that slept while its log was cleaned', async (t) => {
    const folder = await copy(t)
    // As it was long ago: the sleeper reads no further than version 40.
    const files = localFiles(folder)
    const asleep = (name: string): boolean => /_delta_log.0{17}(04[1-9]|0[5-9]|1)|_heads/.test(name)
    let sleeping = true
    const sleeper = await openScratchLake(folder, {
      files: {
        ...files,
        get: async (name) => (sleeping && asleep(name) ? null : files.get(name)),
        list: async (name) => (await files.list(name)).filter((each) => !(sleeping && asleep(each)))
      }
    })
    assert.equal((await sleeper.head()).version, 40)
    sleeping = false
    const busy = await openScratchLake(folder)
    await deleteCommits(busy, 'ranges', 100)
    await deleteCommits(busy, 'gaps', 100)
    assert.equal(await flush(sleeper, 0, 1), 102)
    assert.equal(nextOf(await busy.head(), 0), 102)
    assert.equal(await files.get(commitPath('ranges', 41)), null)
    assert.ok(await files.get(commitPath('gaps', 102)))
  })

  test('is not forked by a writer that fell asleep between head and commit', async (t) => {
    const folder = await copy(t)
    const [sleeper, busy] = [await openScratchLake(folder), await openScratchLake(folder)]
    const attempt = sleeper.commit(async (head) => {
      if (head.version > 101) return null
      await flushTimes(busy, 2)
      await busy.doors.files.delete(commitPath('ranges', 101))
      await busy.doors.files.delete(commitPath('ranges', 102))
      return commitOf({ ranges: [rangeOf(0, 101, 105)] })
    })
    await assert.rejects(attempt, { code: 'E_LAKE_CONFLICT', retriable: true })
    assert.equal(await busy.doors.files.get(commitPath('ranges', 102)), null)
    assert.equal(nextOf(await busy.head(), 0), 103)
  })
})
