import { crc32c } from '@node-rs/crc32'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { crashAt } from './crash-point.ts'
import { diskFailure } from './disk-failure.ts'
import { localFiles } from './local-files.ts'
import { scratchFolder } from './scratch-lake.ts'

const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString()

test('what is not there reads as null, lists as nothing and deletes as nothing', async (t) => {
  const files = localFiles(await scratchFolder(t))
  assert.equal(await files.get('a/b.json'), null)
  assert.equal(await files.stat('a/b.json'), null)
  assert.equal(await files.seal('a/b.json'), null)
  assert.deepEqual(await files.list('a'), [])
  await files.delete('a/b.json')
})

test('a put file reads back, replaces the one before and leaves nothing unfinished', async (t) => {
  const files = localFiles(await scratchFolder(t))
  await files.put('a/b.json', Buffer.from('one'))
  await files.put('a/b.json', Buffer.from('three'))
  assert.equal(text(await files.get('a/b.json')), 'three')
  assert.equal((await files.stat('a/b.json'))?.bytes, 5)
  assert.deepEqual(await files.list(''), ['a/b.json'])
  await files.delete('a/b.json')
  assert.deepEqual(await files.list(''), [])
})

test('of many writers of one name exactly one wins, and its bytes stay', async (t) => {
  const folder = await scratchFolder(t)
  const writers = Array.from({ length: 20 }, () => localFiles(folder))
  const wins = await Promise.all(
    writers.map((files, index) => files.putIfAbsent('log/0.json', Buffer.from(`writer ${index}`)))
  )
  assert.equal(wins.filter(Boolean).length, 1)
  assert.equal(text(await localFiles(folder).get('log/0.json')), `writer ${wins.indexOf(true)}`)
  assert.deepEqual(await localFiles(folder).list(''), ['log/0.json'])
})

test('a published file has the hash of its content and is never replaced by another', async (t) => {
  const files = localFiles(await scratchFolder(t))
  const land = async (content: string) => {
    const local = await files.scratch('data/x.parquet')
    assert.match(local, /\.inprogress$/)
    await writeFile(local, content)
    return files.publish(local, 'data/x.parquet')
  }
  const sha256 = createHash('sha256').update('first').digest('hex')
  const seal = { bytes: 5, sha256, crc32c: crc32c('first') }
  assert.deepEqual(await land('first'), seal)
  assert.deepEqual(await land('first'), seal, 'the same content is kept')
  await assert.rejects(land('second'), { code: 'E_LAKE_CONFLICT' })
  assert.deepEqual(await files.seal('data/x.parquet'), seal)
})

test('a crash at any step of a write leaves the old content or the new, never a part', async (t) => {
  const folder = await scratchFolder(t)
  await localFiles(folder).put('a.json', Buffer.from('old'))
  const seen = new Set<string | null>()
  let steps = 0
  for (let finished = false; !finished;) {
    const step = crashAt(++steps, (name) => {
      throw new Error(`crashed at ${name}`)
    })
    finished = await localFiles(folder, { step })
      .put('a.json', Buffer.from('new'))
      .then(() => true)
      .catch(() => false)
    seen.add(text(await localFiles(folder).get('a.json')))
    if (!finished) await localFiles(folder).put('a.json', Buffer.from('old'))
  }
  assert.deepEqual([...seen], ['old', 'new'])
  assert.ok(steps > 4, `${steps} steps were tried`)
  const leavings = (await readdir(folder)).filter((name) => name !== 'a.json')
  assert.ok(leavings.length > 0 && leavings.every((name) => /^\..*\.inprogress$/.test(name)))
})

test('a full device is a retriable failure', async () => {
  const full = await writeFile('/dev/full', 'x').catch((error: unknown) => error)
  const failure = diskFailure(full, 'put', 'a.json')
  assert.equal(failure.code, 'E_DISK_FULL')
  assert.equal(failure.retriable, true)
})
