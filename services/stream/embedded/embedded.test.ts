import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { AppendQueue } from '../append-queue.ts'
import { failsWith, readAll, record, records, valuesOf } from '../conformance/case.ts'
import { conformance } from '../conformance.ts'
import { EmbeddedLog } from './log.ts'

const folder = mkdtempSync(join(tmpdir(), 'tallystream-log-'))
const log = new EmbeddedLog(join(folder, 'shared'))
after(async () => {
  await log.close()
  rmSync(folder, { recursive: true })
})

conformance({ name: 'embedded log', open: () => log, skip: false })

describe('the embedded log', () => {
  test('holds what it held when it is opened again', async () => {
    const path = join(folder, 'reopened')
    const first = new EmbeddedLog(path)
    await first.ensureTopic('topic', 2)
    await first.append('topic', records(5))
    const before = await first.partitions('topic')
    await first.close()
    const second = new EmbeddedLog(path)
    assert.deepEqual(await second.partitions('topic'), before)
    await second.append('topic', [record('key', 'later')])
    const partition = before.findIndex(({ end }) => end === 5)
    const values = (await readAll(second, { topic: 'topic', partition })).flatMap(valuesOf)
    assert.equal(values.length, 6)
    assert.equal(values[5], 'later')
    await second.close()
  })

  test('refuses to grow beyond its bound, and goes on when retention has made room', async () => {
    const small = new EmbeddedLog(join(folder, 'small'), { bytesMax: 200_000 })
    await small.ensureTopic('topic', 1)
    const value = Buffer.alloc(50_000)
    for (let index = 0; index < 3; index++) await small.append('topic', [{ key: 'k', value }])
    await assert.rejects(
      small.append('topic', [
        { key: 'k', value },
        { key: 'k', value }
      ]),
      failsWith('E_DISK_FULL')
    )
    assert.equal((await small.partitions('topic'))[0]?.end, 3)
    await small.deleteBefore('topic', 0, 2)
    await small.append('topic', [
      { key: 'k', value },
      { key: 'k', value }
    ])
    const [state] = await small.partitions('topic')
    assert.deepEqual([state?.start, state?.end], [2, 5])
    await small.close()
  })

  test('leaves a reserve on its device, and uses the room in its file again', async () => {
    let free = 1e9
    const tight = new EmbeddedLog(join(folder, 'tight'), { freeBytes: () => free })
    await tight.ensureTopic('topic', 1)
    const value = Buffer.alloc(900_000)
    for (let index = 0; index < 30; index++) await tight.append('topic', [{ key: 'k', value }])
    free = 1_000_000
    await assert.rejects(tight.append('topic', [{ key: 'k', value }]), failsWith('E_DISK_FULL'))
    await tight.deleteBefore('topic', 0, 29)
    await tight.append('topic', [{ key: 'k', value }])
    assert.deepEqual(
      (await tight.partitions('topic')).map(({ start, end }) => [start, end]),
      [[29, 31]]
    )
    await tight.close()
  })

  test('forgets by age in whole batches, and its clock never goes back', async () => {
    let nowMs = 1_000_000
    const path = join(folder, 'aged')
    const aged = new EmbeddedLog(path, { now: () => new Date(nowMs) })
    await aged.ensureTopic('topic', 1)
    for (const timeMs of [1_000_000, 1_060_000, 1_030_000, 1_120_000]) {
      nowMs = timeMs
      await aged.append('topic', records(2))
    }
    const times = (await readAll(aged, { topic: 'topic', partition: 0 })).flatMap((run) => [
      ...run.timesMs
    ])
    assert.deepEqual(
      times.filter((_, index) => index % 2 === 0),
      [1_000_000, 1_060_000, 1_060_000, 1_120_000]
    )
    await aged.deleteBeforeTime('topic', 1_060_000)
    assert.equal((await aged.partitions('topic'))[0]?.start, 2)
    await aged.deleteBeforeTime('topic', 1_060_001)
    assert.equal((await aged.partitions('topic'))[0]?.start, 6)
    await aged.deleteBeforeTime('topic', 2_000_000)
    assert.deepEqual(
      (await aged.partitions('topic')).map(({ start, end }) => [start, end]),
      [[8, 8]]
    )
    await aged.close()
  })

  test('finds a damaged byte in its file, and gives the neighbours', async () => {
    const path = join(folder, 'damaged')
    const first = new EmbeddedLog(path)
    await first.ensureTopic('topic', 1)
    for (const value of ['before', 'DAMAGED', 'after']) {
      await first.append('topic', [record('key', value)])
    }
    await first.close()
    const file = join(path, 'data.mdb')
    const bytes = readFileSync(file)
    for (let at = bytes.indexOf('DAMAGED'); at >= 0; at = bytes.indexOf('DAMAGED', at)) {
      bytes[at] = 'B'.charCodeAt(0)
    }
    writeFileSync(file, bytes)
    const second = new EmbeddedLog(path)
    const [run] = await readAll(second, { topic: 'topic', partition: 0 })
    assert.deepEqual(valuesOf(run!), ['before', 'after'])
    assert.deepEqual(
      run!.faults.map(({ first: from, next }) => [from, next]),
      [[1, 2]]
    )
    await second.close()
  })

  test('gives topics that were removed their space back', async () => {
    const path = join(folder, 'removed')
    const bounded = new EmbeddedLog(path, { bytesMax: 300_000 })
    const value = Buffer.alloc(200_000)
    for (let round = 0; round < 3; round++) {
      await bounded.ensureTopic('topic', 1)
      await bounded.append('topic', [{ key: 'k', value }])
      await bounded.deleteTopic('topic')
    }
    await bounded.close()
  })
})

describe('appends that wait', () => {
  test('share a commit, and are refused when too much is waiting', async () => {
    const commits: number[] = []
    let release = (): void => undefined
    const isHeld = new Promise<void>((resolve) => (release = resolve))
    const queue = new AppendQueue(async (appends) => {
      commits.push(appends.length)
      await isHeld
    })
    const first = queue.append('topic', records(1))
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    const large = Array.from({ length: 20 }, () => ({ key: 'k', value: Buffer.alloc(1_000_000) }))
    const waiting = [1, 2, 3].map(() => queue.append('topic', large))
    await assert.rejects(queue.append('topic', large), failsWith('E_BACKPRESSURE'))
    const small = [1, 2, 3].map(() => queue.append('topic', records(1)))
    release()
    await Promise.all([first, ...waiting, ...small])
    await queue.drained()
    // Each large call fills a commit; the small ones behind them go together.
    assert.deepEqual(commits, [1, 1, 1, 1, 3])
    await queue.append('topic', large)
  })

  test('learn of a failed commit, and the next ones are tried again', async () => {
    let isBroken = true
    const queue = new AppendQueue(async () => {
      if (isBroken) throw new Error('no disk')
    })
    await assert.rejects(queue.append('topic', records(1)), /no disk/)
    isBroken = false
    await queue.append('topic', records(1))
  })
})
