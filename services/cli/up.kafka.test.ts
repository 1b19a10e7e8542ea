import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { skipKafka, startBroker, type Broker } from '../../infra/kafka/broker.ts'
import { eventAt, killAll, post, ready, run, startUp } from './up/child.ts'

describe('tally on Kafka', { skip: skipKafka(process.env) }, () => {
  let broker: Broker
  let data = ''
  before(async () => {
    broker = await startBroker()
    data = await mkdtemp(path.join(tmpdir(), 'tally-kafka-'))
  })
  after(async () => {
    killAll()
    await broker.stop()
    await rm(data, { recursive: true })
  })

  test('takes, lands, ingests and ends as on its own log', async () => {
    const kafka = ['--data', data, '--brokers', broker.brokers]
    const up = await startUp(data, '--brokers', broker.brokers)
    await ready(up)
    assert.equal(await post(up, [eventAt('posted')]), 1)
    const file = path.join(data, 'calls.ndjson')
    await writeFile(file, `${JSON.stringify(eventAt('ingested'))}\n`)
    const byUp = await run('ingest', file, ...kafka, '--json')
    assert.equal(byUp.code, 0, byUp.err)
    assert.equal((JSON.parse(byUp.out) as Record<string, unknown>)['landed_by'], 'up')
    const doctor = await run('doctor', ...kafka)
    assert.equal(doctor.code, 0, doctor.out)
    up.child.kill('SIGTERM')
    assert.deepEqual(await up.ended, { code: 0, signal: null }, up.messages())

    await writeFile(file, `${JSON.stringify(eventAt('alone'))}\n`)
    const alone = await run('ingest', file, ...kafka, '--from-start', '--json')
    assert.equal((JSON.parse(alone.out) as Record<string, unknown>)['landed_by'], 'ingest')
    const { out } = await run('sql', 'SELECT id FROM events ORDER BY 1', '--data', data, '--json')
    assert.deepEqual(out.trim().split('\n'), [
      '{"id":"alone"}',
      '{"id":"ingested"}',
      '{"id":"posted"}'
    ])
  })
})
