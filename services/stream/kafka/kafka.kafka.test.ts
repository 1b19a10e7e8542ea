import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  assertInOrder,
  failsWith,
  PATIENT,
  readAll,
  record,
  records,
  valuesOf
} from '../conformance/case.ts'
import { Member } from '../conformance/member.ts'
import { conformance } from '../conformance.ts'
import { partitionOf } from '../records/partitioner.ts'
import { KafkaLog } from './log.ts'
import { startTestCluster } from './test-cluster.ts'

const cluster = await startTestCluster(process.env)
const { skip, broker, brokers, log, other, newTopic, readValues, withAdmin } = cluster
after(() => cluster.stop())

conformance({ name: 'Kafka log', open: () => log, skip })

describe('records of other clients', { skip }, () => {
  test('are read in all four codecs, as the broker compresses them', async () => {
    const values = Array.from({ length: 3000 }, (_, index) => `${index} tokens`)
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
      const topic = `codec.${codec}`
      const configEntries = [{ name: 'compression.type', value: codec }]
      await withAdmin((admin) => admin.createTopics({ topics: [{ topic, configEntries }] }))
      await log.append(
        topic,
        values.map((value) => record('key', value))
      )
      assert.deepEqual(await readValues(topic), values, codec)
    }
  })

  test("of Java's client are read, with keys where it puts them", async () => {
    const topic = await newTopic('java', 3)
    const lines = Array.from({ length: 2000 }, (_, n) => [`key-${n % 97}`, `${n} tokens`] as const)
    const settings = ['parse.key=true', 'key.separator=\t'].flatMap((one) => ['--property', one])
    const command = ['--bootstrap-server', brokers[0]!, '--topic', topic, ...settings]
    await broker!.runJava(
      'org.apache.kafka.tools.ConsoleProducer',
      [...command, '--compression-codec', 'zstd'],
      lines.map((line) => line.join('\t')).join('\n')
    )
    for (let partition = 0; partition < 3; partition++) {
      const wanted = lines.filter(([key]) => partitionOf(key, 3) === partition)
      assert.deepEqual(
        await readValues(topic, partition),
        wanted.map(([, value]) => value)
      )
    }
  })

  test('of aborted transactions are left out, and an open one holds the end back', async () => {
    const topic = await newTopic('transactions')
    const producer = other.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: topic,
      createPartitioner: () => () => 0
    })
    await producer.connect()
    const send = async (values: string[]) => {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: values.map((value) => ({ value })) })
      return transaction
    }
    await (await send(['a', 'b'])).commit()
    await (await send(['lost', 'lost'])).abort()
    await (await send(['c'])).commit()
    const hanging = await send(['d'])
    await log.append(topic, [record('key', 'behind')])
    assert.deepEqual(await readValues(topic), ['a', 'b', 'c'])
    const { end: held, heldBack } = (await log.partitions(topic))[0]!
    assert.equal(heldBack, 2, 'what is open and what is behind it')
    assert.equal((await log.read(topic, 0, held, { ...PATIENT, waitMsMax: 100 })).count, 0)
    await hanging.abort()
    const run = await log.read(topic, 0, held, PATIENT)
    assert.deepEqual(valuesOf(run), ['behind'])
    assert.equal((await log.partitions(topic))[0]!.heldBack, undefined)
    await producer.disconnect()
  })

  test('read ours: keys, values and headers', async () => {
    const topic = await newTopic('ours')
    const compressing = new KafkaLog({ brokers, compression: 'gzip' })
    await log.append(topic, [{ ...record('key', 'plain'), headers: { source: 'test' } }])
    await compressing.append(topic, records(500))
    await compressing.close()
    const seen: string[] = []
    const consumer = other.consumer({ groupId: topic })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message: { key, value, headers } }) => {
          seen.push(`${String(key)} ${String(value)} ${String(headers?.['source'])}`)
          if (seen.length === 501) resolve()
        }
      })
    })
    await consumer.disconnect()
    assert.equal(seen[0], 'key plain test')
    assert.equal(seen[500], 'key value-499 undefined')
  })
})

const NEWCOMER_MS_MAX = 8_000

describe('members of a group', { skip }, () => {
  test('share the partitions, take over from one that leaves, and stay while they only wait', async () => {
    const topic = await newTopic('shared', 4)
    const sessionTimeoutMs = 1200
    const quick = new KafkaLog({ brokers, sessionTimeoutMs, metadataMaxAgeMs: 500 })
    const [first, second] = [new Member(), new Member()]
    const held = (): number[] => [...first.held, ...second.held]
    const staying = await quick.join(topic, topic, first)
    await first.until(() => held().length === 4)
    const leaving = await quick.join(topic, topic, second)
    await second.until(() => second.held.length === 2)
    await first.until(() => first.held.length === 2)
    assert.deepEqual(new Set(held()), new Set([0, 1, 2, 3]))
    const changes = first.seen.length
    await staying.advise(new Map([[1, 41]]))
    await sleep(sessionTimeoutMs * 2.5)
    assert.equal(first.seen.length, changes, 'an idle member was put out of the group')
    await leaving.leave()
    await first.until(() => first.held.length === 4)
    const [offsets] = await withAdmin((admin) =>
      admin.fetchOffsets({ groupId: topic, topics: [topic] })
    )
    assert.equal(offsets?.partitions.find(({ partition }) => partition === 1)?.offset, '41')
    await quick.close()
    assert.deepEqual([...first.failures, ...second.failures], [])
  })

  test('let a newcomer in long before a session could end', async () => {
    const topic = await newTopic('newcomer', 2)
    const [first, second] = [new Member(), new Member()]
    const staying = await log.join(topic, topic, first)
    await first.until(() => first.held.length === 2)
    const startedMs = performance.now()
    const coming = await log.join(topic, topic, second)
    await first.until(() => first.held.length === 1)
    // A heartbeat of a third of the session would take ten seconds, and its members one.
    assert.ok(performance.now() - startedMs < NEWCOMER_MS_MAX)
    await Promise.all([coming.leave(), staying.leave()])
  })

  test('that can not join for good say so', async () => {
    const topic = await newTopic('incompatible')
    const stranger = other.consumer({
      groupId: topic,
      partitionAssigners: [
        ({ cluster }) => ({
          name: 'strange',
          version: 1,
          assign: async () => [],
          protocol: () => ({ name: 'strange', metadata: Buffer.from(String(cluster !== null)) })
        })
      ]
    })
    await stranger.connect()
    await stranger.subscribe({ topics: [topic] })
    const isIn = new Promise((resolve) => stranger.on('consumer.group_join', resolve))
    await stranger.run({ eachMessage: async () => {} })
    await isIn
    const member = new Member()
    await assert.rejects(log.join('not.there', topic, member), failsWith('E_LOG_UNAVAILABLE'))
    await log.join(topic, topic, member)
    await member.until(() => member.failures.length === 1)
    assert.match(member.failures[0]!.message, /protocol/i)
    await stranger.disconnect()
  })
})

describe('trouble with the broker', { skip }, () => {
  test('that is not there is reported, and may pass', async () => {
    const nowhere = new KafkaLog({ brokers: ['127.0.0.1:1'], timeoutMs: 500 })
    await assert.rejects(nowhere.partitions('any'), failsWith('E_LOG_UNAVAILABLE'))
    await assert.rejects(nowhere.append('any', records(1)), failsWith('E_LOG_UNAVAILABLE'))
    await assert.rejects(nowhere.read('any', 0, 0, PATIENT), failsWith('E_LOG_UNAVAILABLE'))
    await nowhere.close()
  })

  test('a damaged byte on its disk takes out one batch and nothing else', async () => {
    const topic = await newTopic('damaged')
    const written = ['before', 'DAMAGED', 'after']
    for (const value of written) await log.append(topic, [record('key', value)])
    const path = join(broker!.dataDir, 'records', `${topic}-0`, '00000000000000000000.log')
    const file = await open(path, 'r+')
    const bytes = await file.readFile()
    await file.write(Buffer.from('B'), 0, 1, bytes.indexOf('DAMAGED'))
    await file.close()
    const [run] = await readAll(log, { topic, partition: 0 })
    assert.deepEqual(valuesOf(run!), ['before', 'after'])
    assert.deepEqual(
      run!.faults.map(({ first, next, reason }) => [first, next, reason.includes('checksum')]),
      [[1, 2, true]]
    )
  })

  test('a reader that did not hear of it never takes a topic made anew for the old one', async () => {
    const topic = await newTopic('anew')
    await log.append(topic, records(2))
    const unaware = new KafkaLog({ brokers })
    const [{ incarnation } = assert.fail()] = await unaware.partitions(topic)
    assert.equal((await unaware.read(topic, 0, 0, { ...PATIENT, incarnation })).count, 2)
    await log.deleteTopic(topic)
    await newTopic('anew')
    await log.append(topic, records(5))
    await assert.rejects(
      unaware.read(topic, 0, 2, { ...PATIENT, incarnation }),
      failsWith('E_LOG_RECREATED')
    )
    assert.equal((await unaware.read(topic, 0, 2, PATIENT)).count, 3)
    await unaware.close()
  })

  test('a busy partition is not held up by idle ones', async () => {
    const topic = await newTopic('idle', 8)
    const calm = new AbortController()
    const idle = [1, 2, 3, 4, 5, 6, 7].map((partition) =>
      log.read(topic, partition, 0, { ...PATIENT, signal: calm.signal })
    )
    const key = Array.from({ length: 99 }, (_, n) => `k${n}`).find(
      (one) => partitionOf(one, 8) === 0
    )!
    const started = performance.now()
    for (let offset = 0; offset < 20; offset++) {
      await log.append(topic, [record(key, `${offset}`)])
      assert.equal((await log.read(topic, 0, offset, PATIENT)).count, 1)
    }
    const spentMs = performance.now() - started
    calm.abort()
    await Promise.all(idle)
    // Idle answers are held back for 500 ms: twenty of them would take ten seconds.
    assert.ok(spentMs < 2500, `${spentMs} ms for 20 reads`)
  })

  test('that hangs makes appends fail in time, and what was acknowledged is there', async () => {
    const topic = await newTopic('frozen')
    const impatient = new KafkaLog({ brokers, timeoutMs: 800 })
    await impatient.append(topic, [record('key', 'first')])
    await broker!.freeze()
    try {
      await assert.rejects(
        impatient.append(topic, [record('key', 'unsure')]),
        failsWith('E_LOG_UNAVAILABLE')
      )
    } finally {
      await broker!.thaw()
    }
    for (const value of ['second', 'third']) await impatient.append(topic, [record('key', value)])
    const values = await readValues(topic)
    // The batch of an unknown fate may have arrived: it must not have displaced another one.
    assert.deepEqual(
      values.filter((value) => value !== 'unsure'),
      ['first', 'second', 'third']
    )
    await impatient.close()
  })

  test('killed and started again: nothing acknowledged is lost or doubled, members stay', async () => {
    const topic = await newTopic('killed', 2)
    const member = new Member()
    const membership = await log.join(topic, topic, member)
    await member.until(() => member.seen.length > 0)
    const acknowledged: string[] = []
    const isEnough = (): boolean => acknowledged.length >= 60
    const append = async (caller: number): Promise<void> => {
      for (let index = 0; !isEnough() || index < 12; index++) {
        const value = `${caller}.${index}`
        await log.append(topic, [record(`caller-${caller}`, value)])
        acknowledged.push(value)
      }
    }
    const appends = Promise.all([0, 1, 2, 3].map(append))
    while (acknowledged.length < 10) await sleep(1)
    await broker!.kill()
    await assert.rejects(async () => {
      for (;;) await log.read(topic, 0, 0, { ...PATIENT, waitMsMax: 0 })
    }, failsWith('E_LOG_UNAVAILABLE'))
    await broker!.restart()
    await appends
    const values = [...(await readValues(topic, 0)), ...(await readValues(topic, 1))]
    assert.equal(values.length, acknowledged.length)
    assert.deepEqual(new Set(values), new Set(acknowledged))
    for (let caller = 0; caller < 4; caller++) assertInOrder(values, `${caller}`)
    await membership.leave()
    assert.deepEqual(member.failures, [])
  })
})
