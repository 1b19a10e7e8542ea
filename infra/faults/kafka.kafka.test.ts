import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { createDial } from '../../services/stream/kafka/internals.ts'
import { produceBatches } from '../../services/stream/kafka/produce-request.ts'
import { startTestCluster } from '../../services/stream/kafka/test-cluster.ts'
import { partitionOf } from '../../services/stream/records/partitioner.ts'
import { assertSettled, readLake } from './checker.ts'
import { gzipBomb } from './hostile-records.ts'
import { landBounded } from './land-bounded.ts'
import { ledgerOf, sumTruth, truthOf } from './ledger.ts'
import {
  caughtUp,
  consume,
  consumeAll,
  createStand,
  positionOf,
  settleAll,
  until,
  type Consuming,
  type Stand
} from './stand.ts'

const cluster = await startTestCluster(process.env)
const { skip, broker, brokers, log } = cluster
after(cluster.stop)

const PARTITIONS = 4

/** A topic and a lake of their own for each test. */
const standOn = async (t: TestContext, topic: string): Promise<Stand> => {
  await log.ensureTopic(topic, PARTITIONS)
  return createStand(t, { log, topic })
}

const withConsumer = async (
  stand: Stand,
  work: (consuming: Consuming) => Promise<void>
): Promise<void> => {
  const consuming = consume(stand, { flushRowsMax: 300 })
  try {
    await work(consuming)
  } finally {
    await consuming.stop()
  }
}

const recreate = async (topic: string, partitions = PARTITIONS): Promise<void> => {
  await log.deleteTopic(topic)
  // Deleting takes a moment, during which the name is still taken.
  await until(`${topic} made anew`, () => log.ensureTopic(topic, partitions).catch(() => false))
}

const hasLanded = (stand: Stand) => async (): Promise<boolean> => {
  const positions = [...(await stand.site.lake.head()).positions.values()]
  return positions.some(({ next }) => next > 0)
}

describe('a broker killed and started again', { skip }, () => {
  test('while a consumer reads: nothing is lost and nothing counts twice', async (t) => {
    const stand = await standOn(t, 'killed')
    const before = ledgerOf('before', 3_000, { repeats: 0.1, conflicts: 0.02 })
    const later = ledgerOf('later', 1_000, { repeats: 0.1 })
    await log.append(stand.topic, before.records)
    await withConsumer(stand, async (consuming) => {
      await until('first rows landed', hasLanded(stand))
      await broker!.kill()
      await broker!.restart()
      await log.append(stand.topic, later.records)
      await caughtUp(stand, consuming)
    })
    await settleAll(stand)
    const { gaps } = await assertSettled(stand.data, sumTruth(before.truth, later.truth), t)
    assert.deepEqual(gaps, [])
  })
})

describe('a topic deleted and made anew', { skip }, () => {
  test('shorter, while the consumer is away: all of it is landed, from 0 on', async (t) => {
    const stand = await standOn(t, 'shorter')
    const old = ledgerOf('old', 800)
    const fresh = ledgerOf('fresh', 200)
    await log.append(stand.topic, old.records)
    await consumeAll(stand)
    const ends = await Promise.all([0, 1, 2, 3].map((one) => positionOf(stand, one)))
    await recreate(stand.topic)
    await log.append(stand.topic, fresh.records)
    await consumeAll(stand)
    await settleAll(stand)
    const { gaps, ranges } = await assertSettled(stand.data, sumTruth(old.truth, fresh.truth), t)
    assert.deepEqual(
      gaps.map(({ partition, reason, first }) => [partition, reason, first]),
      ends.map((end, partition) => [partition, 'recreation', end])
    )
    assert.equal(new Set(ranges.map(({ incarnation }) => incarnation)).size, 2)
  })

  test('longer, under a running consumer: all of it is landed, from 0 on', async (t) => {
    const stand = await standOn(t, 'longer')
    const old = ledgerOf('old', 300)
    const fresh = ledgerOf('fresh', 900)
    await log.append(stand.topic, old.records)
    await withConsumer(stand, async (consuming) => {
      await caughtUp(stand, consuming)
      await recreate(stand.topic)
      await log.append(stand.topic, fresh.records)
      await caughtUp(stand, consuming)
    })
    await settleAll(stand)
    const { gaps } = await assertSettled(stand.data, sumTruth(old.truth, fresh.truth), t)
    assert.deepEqual(
      gaps.map(({ reason }) => reason),
      Array.from({ length: PARTITIONS }, () => 'recreation')
    )
  })
})

describe('retention that passes a consumer', { skip }, () => {
  test('leaves a gap of exactly the offsets that went, and the rest is landed', async (t) => {
    const stand = await standOn(t, 'retention')
    const early = ledgerOf('early', 400)
    const later = ledgerOf('later', 600)
    await log.append(stand.topic, early.records)
    await consumeAll(stand)
    await log.append(stand.topic, later.records)
    const first = await positionOf(stand, 1)
    const next = first + 70
    await log.deleteBefore(stand.topic, 1, next)
    await consumeAll(stand)
    await settleAll(stand)
    let offset = first
    const left = later.events.filter((_, index) => {
      if (partitionOf(later.records[index]!.key, PARTITIONS) !== 1) return true
      return offset++ >= next
    })
    assert.equal(left.length, later.events.length - 70)
    const { gaps, events } = await assertSettled(stand.data, sumTruth(early.truth, truthOf(left)))
    assert.deepEqual(
      gaps.map((gap) => [gap['partition'], gap['reason'], gap['first'], gap['next']]),
      [[1, 'retention', first, next]]
    )
    t.diagnostic(
      `seen: ${early.events.length + later.events.length} events sent, ${Number(events['events'])} landed, 1 gap of the other ${next - first}`
    )
  })
})

describe('partitions added under a running consumer', { skip }, () => {
  test('are read from their first record on', async (t) => {
    const stand = await standOn(t, 'partitions')
    const before = ledgerOf('before', 200)
    const later = ledgerOf('later', 800, { repeats: 0.1 })
    await log.append(stand.topic, before.records)
    await withConsumer(stand, async (consuming) => {
      await caughtUp(stand, consuming)
      await log.addPartitions(stand.topic, 7)
      await until('7 partitions', async () => (await log.partitions(stand.topic)).length === 7)
      await log.append(stand.topic, later.records)
      await caughtUp(stand, consuming)
    })
    for (const added of [4, 5, 6]) assert.ok((await positionOf(stand, added)) > 0, `${added}`)
    await settleAll(stand)
    await assertSettled(stand.data, sumTruth(before.truth, later.truth), t)
  })
})

describe('offsets of the group, set by an operator', { skip }, () => {
  test('move nothing: the lake knows where it stands', async (t) => {
    const stand = await standOn(t, 'operator')
    const ledgers = [ledgerOf('first', 500, { repeats: 0.1 }), ledgerOf('second', 300)]
    const late = ledgerOf('late', 200, { repeats: 0.2 })
    const last = ledgerOf('last', 100)
    await log.append(stand.topic, ledgers[0]!.records)
    await consumeAll(stand)
    await settleAll(stand)
    await log.append(stand.topic, ledgers[1]!.records)
    await setOffsets(stand.topic, (end) => end)
    await consumeAll(stand)
    // These settle hours again that are settled already.
    await log.append(stand.topic, late.records)
    await setOffsets(stand.topic, () => 0)
    await consumeAll(stand)
    await log.append(stand.topic, last.records)
    await cluster.withAdmin((admin) => admin.deleteGroups([`consume.${stand.topic}`]))
    await consumeAll(stand)
    await settleAll(stand)
    const truth = [...ledgers, late, last].map((one) => one.truth).reduce(sumTruth)
    const { gaps } = await assertSettled(stand.data, truth, t)
    assert.deepEqual(gaps, [])
  })
})

const setOffsets = async (topic: string, offsetOf: (end: number) => number): Promise<void> => {
  const partitions = (await log.partitions(topic)).map(({ partition, end }) => {
    return { partition, offset: String(offsetOf(end)) }
  })
  await cluster.withAdmin((admin) =>
    admin.setOffsets({ groupId: `consume.${topic}`, topic, partitions })
  )
}

describe('a batch that unpacks to a gigabyte', { skip }, () => {
  test('becomes one row of quarantine, and its neighbours are counted', async (t) => {
    const topic = 'bomb'
    await log.ensureTopic(topic, 1)
    const stand = await createStand(t, { log, topic })
    const [before, later] = [ledgerOf('before', 50), ledgerOf('later', 60)]
    const bomb = gzipBomb(1_000_000_000)
    await log.append(topic, before.records)
    const connection = await createDial({ brokers })()
    t.after(() => connection.close())
    const answers = await produceBatches(connection, [{ topic, partition: 0, batch: bomb }], 60_000)
    assert.deepEqual(answers, [{ topic, partition: 0, error: 0 }])
    await log.append(topic, later.records)

    const peakMb = await landBounded(t, stand, { BROKERS: brokers[0]! })
    const { events, quarantine } = await readLake(stand.data)
    assert.equal(events['in_total'], sumTruth(before.truth, later.truth).inTotal)
    assert.deepEqual(
      quarantine.map((row) => [row['offset'], row['code'], row['byte_length'], row['kept']]),
      [[50, 'E_LOG_CORRUPT', bomb.length, 65_536]]
    )
    t.diagnostic(
      `seen: a batch of ${bomb.length} bytes in quarantine, ${Number(events['events'])} events beside them landed, ${Math.round(peakMb)} MB of memory at most`
    )
  })
})

/** Last in this file: nothing of the cluster is left. */
describe('a broker that lost its disk', { skip }, () => {
  test('and starts empty, as another cluster, leaves a gap, and all of the new is landed', async (t) => {
    const stand = await standOn(t, 'wiped')
    const old = ledgerOf('old', 600)
    const fresh = ledgerOf('fresh', 900, { repeats: 0.1 })
    await log.append(stand.topic, old.records)
    await withConsumer(stand, async (consuming) => {
      await caughtUp(stand, consuming)
      const before = await clusterId()
      await broker!.kill()
      await rm(path.join(broker!.dataDir, 'records'), { recursive: true })
      await broker!.restart()
      await until('the topic in the new cluster', () =>
        log.ensureTopic(stand.topic, PARTITIONS).catch(() => false)
      )
      assert.notEqual(await clusterId(), before)
      await log.append(stand.topic, fresh.records)
      await caughtUp(stand, consuming)
    })
    await settleAll(stand)
    const { gaps, ranges } = await assertSettled(stand.data, sumTruth(old.truth, fresh.truth), t)
    assert.deepEqual(
      gaps.map(({ partition, reason }) => [partition, reason]),
      [0, 1, 2, 3].map((partition) => [partition, 'recreation'])
    )
    assert.equal(new Set(ranges.map(({ incarnation }) => incarnation)).size, 2)
  })
})

const clusterId = (): Promise<string> =>
  cluster.withAdmin(async (admin) => (await admin.describeCluster()).clusterId)
