import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { skipKafka, startBroker, type Broker } from '../../../infra/kafka/broker.ts'
import { Failure } from '../../../schemas/failure.ts'
import { decodeRefused } from '../../../schemas/refused.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { KafkaLog } from '../../stream/kafka/log.ts'
import { takeIn } from '../intake.ts'
import {
  bytesOf,
  CASE_NOW_MS,
  messageOf,
  readCases,
  sourceFor,
  type Case
} from '../sources/cases.ts'
import { loadSources, type LoadedSource } from '../sources/load.ts'
import { PositionFiles } from './position-file.ts'
import { startRelay } from './relay.ts'

const RULES = { nowMs: CASE_NOW_MS, tenantOnly: null, itemsMax: Infinity }

describe('topics of others on Kafka', { skip: skipKafka(process.env) }, () => {
  let broker: Broker
  let folder = ''
  let log: KafkaLog
  before(async () => {
    broker = await startBroker()
    folder = await mkdtemp(join(tmpdir(), 'relay-kafka-'))
    log = new KafkaLog({ brokers: broker.brokers.split(',') })
    await log.ensureTopic(EVENTS_TOPIC, 1)
  })
  after(async () => {
    await log.close()
    await broker.stop()
    await rm(folder, { recursive: true })
  })

  /** Values of the events' topic, once there are so many. */
  const taken = async (count: number): Promise<Buffer[]> => {
    const values: Buffer[] = []
    for (let offset = 0; values.length < count;) {
      const run = await log.read(EVENTS_TOPIC, 0, offset, { bytesMax: 1 << 22, waitMsMax: 1000 })
      for (let index = 0; index < run.count; index++) {
        values.push(Buffer.from(run.bytes.subarray(run.valueStart[index], run.valueEnd[index])))
      }
      offset = run.next
    }
    return values
  }

  test('written by another client give the rows that HTTP and files give, whatever their dialect', async () => {
    const inputs = await everyCase()
    for (const { topic } of inputs) await log.ensureTopic(topic, 1)
    const relay = await startRelay(
      inputs.map(({ topic, source, one }) => ({ topic, source, tenant: one.tenant ?? null })),
      {
        log,
        positions: new PositionFiles(folder),
        now: () => new Date(CASE_NOW_MS),
        onProgress: () => undefined,
        onRetry: () => undefined
      }
    )
    const kafka = new Kafka({ brokers: broker.brokers.split(','), logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    const topicMessages = inputs.map(({ topic, one }) => ({
      topic,
      messages: [{ value: bytesOf(one), headers: headersOf(one) }]
    }))
    await producer.sendBatch({ topicMessages })
    await producer.disconnect()
    const expected = inputs.flatMap(({ events }) => events)
    const refused = inputs.reduce((sum, one) => sum + one.refused, 0)
    const values = await taken(expected.length + refused)
    await relay.stop()
    const events = values.filter((value) => decodeRefused(value) === null)
    assert.deepEqual(events.map((value) => value.toString('hex')).sort(), expected.sort())
    assert.equal(values.length - events.length, refused, 'and what could not be read is kept')
  })
})

type Input = {
  topic: string
  source: LoadedSource
  one: Case
  /** Values of its events, in hexadecimal, and records that tell of what was refused. */
  events: string[]
  refused: number
}

/** A topic for each case of each dialect, with what the intake makes of it. */
const everyCase = async (): Promise<Input[]> => {
  const inputs: Input[] = []
  for (const known of await loadSources()) {
    for (const one of await readCases(known.id)) {
      const source = await sourceFor(known, one)
      inputs.push({ topic: `${known.id}.${one.file}`, source, one, ...takenIn(source, one) })
    }
  }
  return inputs
}

const takenIn = (source: LoadedSource, one: Case): Pick<Input, 'events' | 'refused'> => {
  try {
    const { records, faults } = takeIn(source, { ...messageOf(one), door: null }, RULES)
    const events = records.map(({ value }) => Buffer.from(value ?? []).toString('hex'))
    return { events, refused: faults.length > 0 ? 1 : 0 }
  } catch (error) {
    assert.ok(error instanceof Failure)
    return { events: [], refused: 1 }
  }
}

const headersOf = ({ headers, media_type: type }: Case): Record<string, string> => ({
  ...headers,
  ...(type == null ? {} : { 'content-type': type })
})
