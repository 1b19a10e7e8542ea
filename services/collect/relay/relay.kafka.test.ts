import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { skipKafka, startBroker, type Broker } from '../../../infra/kafka/broker.ts'
import { decodeRefused } from '../../../schemas/refused.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { KafkaLog } from '../../stream/kafka/log.ts'
import { takeIn } from '../intake.ts'
import { CASE_NOW_MS, messageOf, readCases } from '../sources/cases.ts'
import { loadSource } from '../sources/load.ts'
import { PositionFiles } from './position-file.ts'
import { startRelay } from './relay.ts'

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

  test('written by another client are taken in as they come: headers, protobuf and all', async () => {
    const [binary] = (await readCases('cloudevents')).filter(({ file }) =>
      file.startsWith('binary')
    )
    const [protobuf] = (await readCases('otlp')).filter(({ file }) => file.includes('of-a-topic'))
    assert.ok(binary !== undefined && protobuf !== undefined)
    const sources = { cloudevents: await loadSource('cloudevents'), otlp: await loadSource('otlp') }
    const rules = { nowMs: CASE_NOW_MS, tenantOnly: null, itemsMax: 1000 }
    const expected = [
      ...takeIn(sources.cloudevents, messageOf(binary), rules).records,
      ...takeIn(sources.otlp, messageOf(protobuf), rules).records
    ].map(({ value }) => Buffer.from(value ?? []).toString('hex'))
    await log.ensureTopic('calls', 2)
    await log.ensureTopic('otlp_spans', 2)
    const relay = await startRelay(
      [
        { topic: 'calls', source: sources.cloudevents, tenant: binary.tenant ?? null },
        { topic: 'otlp_spans', source: sources.otlp, tenant: protobuf.tenant ?? null }
      ],
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
    const headers = { ...binary.headers }
    await producer.send({
      topic: 'calls',
      messages: [{ value: messageOf(binary).bytes as Buffer, headers }]
    })
    await producer.send({ topic: 'calls', messages: [{ value: 'broken', headers }] })
    await producer.send({
      topic: 'otlp_spans',
      messages: [{ value: messageOf(protobuf).bytes as Buffer }]
    })
    await producer.disconnect()
    const values = await taken(expected.length + 1)
    await relay.stop()
    const refused = values.map(decodeRefused).filter((one) => one !== null)
    assert.deepEqual(
      refused.map(({ code }) => code),
      ['E_BODY_UNREADABLE']
    )
    const events = values.filter((value) => decodeRefused(value) === null)
    assert.deepEqual(events.map((value) => value.toString('hex')).sort(), expected.sort())
  })
})
