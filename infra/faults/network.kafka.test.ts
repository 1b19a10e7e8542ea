import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { KafkaLog } from '../../services/stream/kafka/log.ts'
import { partitionOf } from '../../services/stream/records/partitioner.ts'
import { skipKafka, startBroker } from '../kafka/broker.ts'
import { assertSettled } from './checker.ts'
import { ledgerOf, sumTruth, type Ledger } from './ledger.ts'
import { startProxy } from './proxy.ts'
import { caughtUp, consume, createStand, positionOf, settleAll, until } from './stand.ts'

/** A network between us and a real broker: cut, half open, and a byte at a time. */

const skip = skipKafka(process.env)
let brokerPort = 0
const proxy = await startProxy(() => brokerPort)
const broker = skip === false ? await startBroker({ advertisedPort: proxy.port }) : null
brokerPort = Number(broker?.brokers.split(':')[1] ?? 0)
/** Short, so that a silent network is noticed within a test. */
const TIMEOUT_MS = 3_000
const log = new KafkaLog({
  brokers: [`127.0.0.1:${proxy.port}`],
  metadataMaxAgeMs: 500,
  timeoutMs: TIMEOUT_MS,
  sessionTimeoutMs: 6_000
})
after(async () => {
  proxy.weather('fair')
  await log.close()
  await broker?.stop()
  await proxy.close()
})

const PARTITIONS = 4
/** `api_key` of a member's question for its group's coordinator. */
const FIND_COORDINATOR = 10
const repeated = (prefix: string, events: number): Ledger =>
  ledgerOf(prefix, events, { repeats: 0.1 })

/** As a collector does: again, until it is acknowledged. What came twice counts once. */
const appendAgain = async (topic: string, { records }: Ledger): Promise<void> => {
  await until(`${records.length} records acknowledged`, () =>
    log.append(topic, records).then(
      () => true,
      () => false
    )
  )
}

describe('a network', { skip }, () => {
  test('that is cut, half open and slow: reading and appending go on, and nothing is lost or doubled', async (t) => {
    const topic = 'network'
    await log.ensureTopic(topic, PARTITIONS)
    const stand = await createStand(t, { log, topic })
    const ledgers = ['fair', 'cut', 'drip', 'silent'].map((name) => repeated(name, 700))
    const [fair, cut, drip, silent] = ledgers
    const consuming = consume(stand, { flushRowsMax: 300 })
    try {
      await appendAgain(topic, fair!)
      for (let resets = 0; resets < 5; resets++) {
        const appending = appendAgain(topic, cut!)
        proxy.cut()
        await appending
      }
      proxy.weather('drip')
      await appendAgain(topic, drip!)
      await caughtUp(stand, consuming)
      proxy.weather('silent')
      await assert.rejects(log.append(topic, silent!.records), { code: 'E_LOG_UNAVAILABLE' })
      proxy.weather('fair')
      await appendAgain(topic, silent!)
      await caughtUp(stand, consuming)
    } finally {
      proxy.weather('fair')
      await consuming.stop()
    }
    assert.ok(proxy.seen().connections > PARTITIONS, 'connections were made again')
    await settleAll(stand)
    await assertSettled(stand.data, ledgers.map(({ truth }) => truth).reduce(sumTruth), t)
  })
})

describe('a coordinator', { skip }, () => {
  test('that is lost while it is asked for does not end the consumer', async (t) => {
    const topic = 'coordinator'
    await log.ensureTopic(topic, PARTITIONS)
    const stand = await createStand(t, { log, topic })
    const ledger = repeated('coordinator', 300)
    await appendAgain(topic, ledger)
    proxy.cutAtRequest(FIND_COORDINATOR, 3)
    const consuming = consume(stand)
    try {
      await caughtUp(stand, consuming)
    } finally {
      await consuming.stop()
    }
    await settleAll(stand)
    await assertSettled(stand.data, ledger.truth, t)
  })
})

describe('a hot partition', { skip }, () => {
  test('does not hold the others back: their events are landed while it lags', async (t) => {
    const topic = 'hot'
    await log.ensureTopic(topic, PARTITIONS)
    const stand = await createStand(t, { log, topic })
    const [flood, others] = [repeated('flood', 20_000), repeated('others', 400)]
    // All of the flood has one key; what lands beside it belongs to other partitions.
    const hot = partitionOf('hot', PARTITIONS)
    await log.append(
      topic,
      flood.records.map((record) => ({ ...record, key: 'hot' }))
    )
    await log.append(
      topic,
      others.records.filter(({ key }) => partitionOf(key, PARTITIONS) !== hot)
    )
    const cold = (await log.partitions(topic)).filter(({ partition }) => partition !== hot)
    const hotEnd = flood.records.length
    let lagged = false
    const consuming = consume(stand, { flushRowsMax: 2_000 })
    try {
      const areLanded = async (): Promise<boolean> => {
        const reached = await Promise.all(cold.map(({ partition }) => positionOf(stand, partition)))
        const done = cold.every(({ end }, index) => reached[index] === end)
        if (done) lagged = (await positionOf(stand, hot)) < hotEnd
        return done
      }
      await Promise.race([until('the others landed', areLanded), consuming.failed])
      await caughtUp(stand, consuming)
    } finally {
      await consuming.stop()
    }
    assert.ok(lagged, 'the others were there before the hot partition was through')
    t.diagnostic(`seen: ${hotEnd} records in one partition, all others landed before its end`)
  })
})
