import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import avro from 'avsc'
import { Failure } from '../../../schemas/failure.ts'
import { decodeRefused } from '../../../schemas/refused.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { ReadLimits } from '../../stream/log.ts'
import { EmbeddedLog } from '../../stream/embedded/log.ts'
import { configureSource } from '../sources/configure.ts'
import { loadSource, type LoadedSource } from '../sources/load.ts'
import { PositionFiles } from './position-file.ts'
import { relayToEnd, startRelay } from './relay.ts'
import type { RelayCounts } from './relay-records.ts'

const event = (id: string, more: object = {}): string =>
  JSON.stringify({ id, time: '2026-11-24T10:00:00Z', tenant: 'acme', kind: 'llm', ...more })

describe('a topic of others', () => {
  let folder = ''
  let log: EmbeddedLog
  let native: LoadedSource
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'relay-'))
    log = new EmbeddedLog(join(folder, 'log'))
    native = await loadSource('native')
  })
  after(async () => {
    await log.close()
    await rm(folder, { recursive: true })
  })

  /** A site of its own: positions, and what came into the events' topic since. */
  const site = async (name: string) => {
    await log.ensureTopic(EVENTS_TOPIC, 1)
    await log.ensureTopic(name, 2)
    const [state] = await log.partitions(EVENTS_TOPIC)
    const from = state?.end ?? 0
    const taken = async (): Promise<
      (string | { code: string; reason: string; text: string })[]
    > => {
      const run = await log.read(EVENTS_TOPIC, 0, from, { bytesMax: 1 << 24, waitMsMax: 0 })
      return Array.from({ length: run.count }, (_, index) => {
        const bytes = run.bytes.subarray(run.valueStart[index], run.valueEnd[index])
        const refused = decodeRefused(bytes)
        if (refused === null)
          return /acme|globex/.exec(Buffer.from(bytes).toString('latin1'))?.[0] ?? ''
        const { code, reason, bytes: raw } = refused
        return { code, reason, text: Buffer.from(raw).toString() }
      })
    }
    const doors = {
      log,
      positions: new PositionFiles(join(folder, `positions-${name}`)),
      now: () => new Date('2026-11-24T12:00:00Z'),
      onProgress: (_counts: RelayCounts): void => {}
    }
    return { doors, taken }
  }

  const send = (topic: string, ...values: (string | Uint8Array | null)[]): Promise<void> =>
    log.append(
      topic,
      values.map((value) => ({
        key: 'k',
        value: typeof value === 'string' ? Buffer.from(value) : value
      }))
    )

  test('goes on where it was left, and keeps what it can not read, with place, reason and bytes', async () => {
    const { doors, taken } = await site('calls')
    const topic = { topic: 'calls', source: native, tenant: null }
    await send(
      'calls',
      event('a'),
      '{broken',
      null,
      event('b', { tenant: 'globex' }),
      event('c', { kind: 'x' })
    )
    assert.deepEqual(await relayToEnd(topic, doors), {
      records: 5,
      events: 2,
      refused: 2,
      ignored: 1
    })
    await send('calls', event('d'))
    assert.deepEqual(await relayToEnd(topic, doors), {
      records: 1,
      events: 1,
      refused: 0,
      ignored: 0
    })
    const [first, broken, second, unknown, third] = await taken()
    assert.deepEqual([first, second, third], ['acme', 'globex', 'acme'])
    assert.ok(typeof broken === 'object' && typeof unknown === 'object')
    assert.deepEqual([broken.code, broken.text], ['E_BODY_UNREADABLE', '{broken'])
    assert.match(broken.reason, /^calls\/\d\/1: /)
    assert.deepEqual([unknown.code, unknown.text], ['E_EVENT_INVALID', event('c', { kind: 'x' })])
  })

  test('that was made anew leaves a row that says so, and is read from its start', async () => {
    const { doors, taken } = await site('anew')
    const topic = { topic: 'anew', source: native, tenant: null }
    await send('anew', event('a'), event('b'))
    await relayToEnd(topic, doors)
    await log.deleteTopic('anew')
    await log.ensureTopic('anew', 2)
    await send('anew', event('c'))
    await relayToEnd(topic, doors)
    const rows = await taken()
    const codes = rows.map((row) => (typeof row === 'object' ? row.code : row))
    assert.deepEqual(codes, ['acme', 'acme', 'E_LOG_RECREATED', 'acme'])
  })

  test('whose records were replaced by others at the same offsets leaves a row that says so, and is read again', async () => {
    const { doors, taken } = await site('kept')
    await site('replaced')
    await send('kept', event('a'), event('b'))
    await send('replaced', event('c'), event('d'), event('e'))
    let name = 'kept'
    // As after an election without the newest records: the same topic, other records in it.
    const elected = {
      append: log.append.bind(log),
      partitions: async () =>
        (await log.partitions(name)).map((one) => ({ ...one, incarnation: 'the same' })),
      read: (_: string, partition: number, offset: number, { bytesMax, waitMsMax }: ReadLimits) =>
        log.read(name, partition, offset, { bytesMax, waitMsMax })
    } as unknown as EmbeddedLog
    const topic = { topic: 'kept', source: native, tenant: null }
    await relayToEnd(topic, { ...doors, log: elected })
    name = 'replaced'
    await relayToEnd(topic, { ...doors, log: elected })
    const codes = (await taken()).map((row) => (typeof row === 'object' ? row.code : row))
    assert.deepEqual(codes, ['acme', 'acme', 'E_LOG_TRUNCATED', 'acme', 'acme', 'acme'])
  })

  test('names the tenant of a record in a header', async () => {
    const { doors, taken } = await site('headers')
    const bare = JSON.stringify({ id: 'h', time: '2026-11-24T10:00:00Z', kind: 'llm' })
    const headers = { 'x-tally-tenant': 'globex' }
    await log.append('headers', [{ key: 'k', value: Buffer.from(bare), headers }])
    await relayToEnd({ topic: 'headers', source: native, tenant: 'acme' }, doors)
    assert.deepEqual(await taken(), ['globex'])
  })

  test('in Avro waits while the registry is away, fetches each schema once, and refuses an unknown id', async () => {
    const { doors, taken } = await site('avro')
    const registry = await fakeRegistry()
    const source = await configureSource(await loadSource('avro'), { registry: registry.url })
    const failures: Failure[] = []
    registry.status = 503
    await send('avro', registry.message('a'), registry.message('b'), registry.unknown())
    const done = new Promise<void>((resolve) => {
      doors.onProgress = () => resolve()
    })
    const relay = await startRelay([{ topic: 'avro', source, tenant: null }], {
      ...doors,
      onProgress: (counts) => doors.onProgress(counts),
      onRetry: (failure) => {
        failures.push(failure)
        registry.status = 200
      }
    })
    await done
    await relay.stop()
    assert.equal(failures[0]?.code, 'E_LOG_UNAVAILABLE')
    const [first, second, refused] = await taken()
    assert.deepEqual([first, second], ['acme', 'acme'])
    assert.ok(typeof refused === 'object')
    assert.equal(refused.code, 'E_SCHEMA_UNKNOWN')
    assert.match(refused.reason, /no schema has the id 99/)
    assert.deepEqual(registry.asked.filter((path) => path.endsWith('/7')).length, 2)
    await registry.close()
  })
})

/** A registry whose schema 7 builds on a type of another subject. */
const fakeRegistry = async () => {
  const kind = { type: 'enum', name: 'Kind', symbols: ['llm', 'tool'] }
  const call = {
    type: 'record',
    name: 'Call',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'time', type: 'string' },
      { name: 'tenant', type: 'string' },
      { name: 'kind', type: 'Kind' }
    ]
  }
  const answers: Record<string, object> = {
    '/schemas/ids/7': {
      schema: JSON.stringify(call),
      references: [{ name: 'Kind', subject: 'kind', version: 1 }]
    },
    '/subjects/kind/versions/1': { schema: JSON.stringify(kind), references: [] }
  }
  const state = { status: 200, asked: [] as string[] }
  const server: Server = createServer((request, response) => {
    const path = request.url ?? ''
    state.asked.push(path)
    const answer = answers[path]
    response.statusCode = state.status !== 200 ? state.status : answer === undefined ? 404 : 200
    response.end(JSON.stringify(answer ?? { error_code: 40403 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const options = { registry: {} }
  avro.Type.forSchema(kind as avro.Schema, options)
  const type = avro.Type.forSchema(call as avro.Schema, options)
  const wire = (id: number, body: Buffer): Buffer => {
    const head = Buffer.alloc(5)
    head.writeUInt32BE(id, 1)
    return Buffer.concat([head, body])
  }
  const message = (id: string): Buffer =>
    wire(7, type.toBuffer({ id, time: '2026-11-24T10:00:00Z', tenant: 'acme', kind: 'llm' }))
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    message,
    unknown: () => wire(99, Buffer.from([0])),
    close: () => new Promise((resolve) => server.close(resolve))
  })
}

test('a file of sources names what is wrong in it', async () => {
  const { loadIntakes } = await import('../sources-file.ts')
  const folder = await mkdtemp(join(tmpdir(), 'sources-'))
  const file = join(folder, 'sources.yaml')
  const write = (text: string): Promise<void> => writeFile(file, text)
  const refused = (message: RegExp): Promise<void> =>
    assert.rejects(
      loadIntakes(file),
      (error) => error instanceof Failure && message.test(error.message)
    )
  await write('topics: [{ topic: t, as: otpl }]')
  await refused(/otpl/)
  await write('topics: [{ topic: t, as: mapping }]')
  await refused(/needs the option map/)
  await write('topics: [{ topic: t, as: otlp, options: { singal: logs } }]')
  await refused(/singal/)
  await write('topics: [{ topic: t, as: otlp }, { topic: t, as: native }]')
  await refused(/t stands twice/)
  await write('topcs: []')
  await refused(/topcs/)
  await writeFile(join(folder, 'm.yaml'), 'fields: { time: $.t, kind: llm }')
  await write(
    'sources: { mapping: { map: ./m.yaml } }\ntopics: [{ topic: t, as: otlp, tenant: acme }]'
  )
  const { sources, topics } = await loadIntakes(file)
  assert.ok(sources.some(({ id }) => id === 'mapping'))
  assert.ok(!sources.some(({ id }) => id === 'avro'), 'what lacks a required option is not there')
  assert.deepEqual(
    topics.map(({ topic, tenant, source }) => [topic, tenant, source.id]),
    [['t', 'acme', 'otlp']]
  )
  await rm(folder, { recursive: true })
})
