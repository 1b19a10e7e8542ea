import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import { assertSettled } from './checker.ts'
import { ledgerOf, sumTruth, truthOf } from './ledger.ts'
import {
  caughtUp,
  consume,
  consumeAll,
  createStand,
  faultFolder,
  settleAll,
  until,
  type Stand
} from './stand.ts'

const topic = EVENTS_TOPIC

/** A log in a folder whose earlier copy can be put back, as a restored backup would be. */
const openRestorable = async (t: TestContext) => {
  const folder = await faultFolder(t)
  const place = path.join(folder, 'log')
  const copy = path.join(folder, 'copy')
  let log = new EmbeddedLog(place)
  t.after(() => log.close())
  const reopened = async (change: () => Promise<void>): Promise<EmbeddedLog> => {
    await log.close()
    await change()
    log = new EmbeddedLog(place)
    return log
  }
  return {
    log,
    keepCopy: () => reopened(() => cp(place, copy, { recursive: true })),
    restoreCopy: () =>
      reopened(async () => {
        await rm(place, { recursive: true })
        await cp(copy, place, { recursive: true })
      })
  }
}

describe('a log that lost its tail', () => {
  for (const refilled of [0, 700]) {
    const how = refilled === 0 ? 'ends before the lake' : 'has other records in its place'
    test(`is told by its anchor, and read again: it ${how}`, async (t) => {
      const backup = await openRestorable(t)
      await backup.log.ensureTopic(topic, 2)
      const kept = ledgerOf('kept', 600, { repeats: 0.1 })
      await backup.log.append(topic, kept.records)
      const log = await backup.keepCopy()
      const lost = ledgerOf('lost', 400)
      await log.append(topic, lost.records)
      const stand = await createStand(t, { log, topic })
      await consumeAll(stand)
      await settleAll(stand)

      const restored: Stand = { ...stand, log: await backup.restoreCopy() }
      const fresh = ledgerOf('fresh', Math.max(refilled, 1))
      if (refilled > 0) await restored.log.append(topic, fresh.records)
      await consumeAll(restored)
      await settleAll(restored)
      const truth = sumTruth(kept.truth, lost.truth)
      const { gaps } = await assertSettled(
        stand.data,
        refilled === 0 ? truth : sumTruth(truth, fresh.truth),
        t
      )
      assert.deepEqual(
        gaps.map(({ partition, reason }) => [partition, reason]),
        [
          [0, 'truncation'],
          [1, 'truncation']
        ]
      )
    })
  }
})

describe('retention that overtakes a running consumer', () => {
  test('takes nothing that was read, and leaves a gap of exactly the rest', async (t) => {
    const place = path.join(await faultFolder(t), 'log')
    const log = new EmbeddedLog(place)
    // Another door to the same log: what it appends does not wake the reader at once.
    const other = new EmbeddedLog(place)
    t.after(() => Promise.all([log.close(), other.close()]))
    await log.ensureTopic(topic, 1)
    const early = ledgerOf('early', 300)
    const later = ledgerOf('later', 900)
    await log.append(topic, early.records)
    const stand = await createStand(t, { log, topic })
    let pending = 0
    const consuming = consume(stand, {
      flushMsMax: 3_600_000,
      flushRowsMax: 1_000_000,
      onPending: (rows) => (pending = rows)
    })
    await until('300 rows in memory', async () => pending === 300)
    await other.append(topic, later.records)
    await other.deleteBefore(topic, 0, 1_000)
    await until('the rest in memory', async () => pending === 200)
    await consuming.stop()
    await settleAll(stand)
    const left = [...early.events, ...later.events.slice(700)]
    const { gaps } = await assertSettled(stand.data, truthOf(left))
    assert.deepEqual(
      gaps.map(({ reason, first, next }) => [reason, first, next]),
      [['retention', 300, 1_000]]
    )
  })
})

describe('a topic made anew and refilled between two looks of a running consumer', () => {
  test('is another log: all of it is landed, from 0 on', async (t) => {
    const place = path.join(await faultFolder(t), 'log')
    const log = new EmbeddedLog(place)
    // Another door to the same log: the reader sees nothing of what happens in between.
    const other = new EmbeddedLog(place)
    t.after(() => Promise.all([log.close(), other.close()]))
    await log.ensureTopic(topic, 1)
    const [old, fresh] = [ledgerOf('old', 300), ledgerOf('fresh', 900)]
    await log.append(topic, old.records)
    const stand = await createStand(t, { log, topic })
    const consuming = consume(stand)
    try {
      await caughtUp(stand, consuming)
      await other.deleteTopic(topic)
      await other.ensureTopic(topic, 1)
      await other.append(topic, fresh.records)
      await caughtUp(stand, consuming)
    } finally {
      await consuming.stop()
    }
    await settleAll(stand)
    const { gaps } = await assertSettled(stand.data, sumTruth(old.truth, fresh.truth), t)
    assert.deepEqual(
      gaps.map(({ reason, first, next }) => [reason, first, next]),
      [['recreation', 300, 300]]
    )
  })
})
