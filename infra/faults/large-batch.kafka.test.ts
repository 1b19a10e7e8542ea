import assert from 'node:assert/strict'
import { after, describe, test, type TestContext } from 'node:test'
import { eventRecord } from '../../services/collect/event-record.ts'
import { createDial } from '../../services/stream/kafka/internals.ts'
import { produceBatches } from '../../services/stream/kafka/produce-request.ts'
import { startTestCluster } from '../../services/stream/kafka/test-cluster.ts'
import type { OutRecord } from '../../services/stream/log.ts'
import { BatchWriter } from '../../services/stream/records/batch-writer.ts'
import { RECORD_BYTES_MAX } from '../../services/stream/records/record-batch.ts'
import { readLake } from './checker.ts'
import { landBounded } from './land-bounded.ts'
import { ledgerOf, sumTruth, type Ledger } from './ledger.ts'
import { createStand, type Stand } from './stand.ts'

/** Batches far above what one read asks for, as a topic takes them whose bound was raised. */

const cluster = await startTestCluster(process.env)
const { skip, brokers, log } = cluster
after(cluster.stop)

const BATCH_BYTES = 50_000_000
const BATCH_BYTES_MAX = 64 * 1024 * 1024
/** Records of the largest size that fill a batch, each behind an event. */
const JUNK = BATCH_BYTES / RECORD_BYTES_MAX
/** About as much as an event may carry; so many fill a batch. */
const TAG_LENGTH = 15_000
const LARGE_EVENTS = 3_300

const standOn = async (t: TestContext, topic: string): Promise<Stand> => {
  const configEntries = [
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
    { name: 'max.message.bytes', value: String(BATCH_BYTES_MAX) }
  ]
  await cluster.withAdmin((admin) => admin.createTopics({ topics: [{ topic, configEntries }] }))
  return createStand(t, { log, topic })
}

const batchOf = (records: readonly OutRecord[]): Buffer => {
  const writer = new BatchWriter()
  for (const record of records) writer.add(record, Buffer.from(record.key))
  return writer.seal({ baseOffset: 0, timeMs: Date.now() })
}

const sendBatch = async (topic: string, records: readonly OutRecord[]): Promise<void> => {
  const batch = batchOf(records)
  assert.ok(batch.length >= BATCH_BYTES, `${batch.length} bytes`)
  const connection = await createDial({ brokers })()
  try {
    const answers = await produceBatches(connection, [{ topic, partition: 0, batch }], 60_000)
    assert.deepEqual(answers, [{ topic, partition: 0, error: 0 }])
  } finally {
    await connection.close()
  }
}

const withTags = ({ events }: Ledger): OutRecord[] =>
  events.map((event) => eventRecord({ ...event, tags: { note: 'x'.repeat(TAG_LENGTH) } }))

describe('batches of 50 MB', { skip }, () => {
  test('of records of a megabyte, and of large events, are landed or in quarantine record by record', async (t) => {
    const stand = await standOn(t, 'large')
    const { topic, data } = stand
    const [small, large] = [ledgerOf('small', JUNK), ledgerOf('large', LARGE_EVENTS)]
    const junk: OutRecord = { key: 'junk', value: Buffer.alloc(RECORD_BYTES_MAX, 'junk') }
    await sendBatch(
      topic,
      small.records.flatMap((record) => [record, junk])
    )
    await sendBatch(topic, withTags(large))

    const peakMb = await landBounded(t, stand, { BROKERS: brokers[0]! })
    const { events, repeats, quarantine, gaps } = await readLake(data)
    const truth = sumTruth(small.truth, large.truth)
    assert.deepEqual([events['events'], events['in_total']], [truth.events, truth.inTotal])
    assert.deepEqual([repeats, gaps], [{ n: 0 }, []])
    assert.deepEqual(
      quarantine.map((row) => [row['offset'], row['code'], row['byte_length']]),
      small.records.map((_, index) => [2 * index + 1, 'E_RECORD_UNREADABLE', RECORD_BYTES_MAX])
    )
    t.diagnostic(
      `seen: 2 batches of 50 MB, ${truth.events} events landed, ${quarantine.length} records in quarantine, ${Math.round(peakMb)} MB of memory at most`
    )
  })
})
