import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { createDeflate, createGzip, deflateSync, gzipSync } from 'node:zlib'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { EmbeddedLog } from '../../stream/embedded/log.ts'
import type { EventLog } from '../../stream/log.ts'
import { startCollector, type Collector } from '../start.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const JSON_TYPE = { 'content-type': 'application/json' }

type Body = NonNullable<RequestInit['body']>
type Reply = { status: number; headers: IncomingHttpHeaders; body: Record<string, unknown> }

const event = (id: string, more: object = {}): Record<string, unknown> => ({
  id,
  time: '2026-11-24T10:00:00Z',
  tenant: 'acme',
  kind: 'llm',
  ...more
})

describe('the collector over HTTP', () => {
  let folder = ''
  let log: EventLog
  let collector: Collector
  let url = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'collect-'))
    log = new EmbeddedLog(join(folder, 'log'))
    collector = await startCollector({
      log,
      host: '127.0.0.1',
      port: 0,
      keyFile: null,
      partitions: 2,
      settings: { wireBytesMax: 4 * 1024 * 1024, plainBytesMax: 8 * 1024 * 1024 },
      now: () => NOW
    })
    url = collector.url
  })
  after(async () => {
    await collector.close()
    await log.close()
    await rm(folder, { recursive: true })
  })

  const count = async (): Promise<number> => {
    const states = await log.partitions(EVENTS_TOPIC)
    return states.reduce((sum, { start, end }) => sum + end - start, 0)
  }
  const post = async (body: Body, headers: Record<string, string> = {}, path = '/v1/events') => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body,
      headers: { ...JSON_TYPE, ...headers },
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {})
    } as RequestInit)
    const text = await response.text()
    const reply: Reply = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    }
    return reply
  }

  test('answers 200 when the log has every event of the request', async () => {
    const before = await count()
    const reply = await post(JSON.stringify([event('a-1'), event('a-2')]))
    assert.deepEqual([reply.status, reply.body], [200, { accepted: 2, ignored: 0 }])
    assert.equal((await count()) - before, 2)
  })

  test('takes nothing of a request with a bad event, and names item, field, value and nearest', async () => {
    const before = await count()
    const bad = { ...event('b-2'), kindd: 'llm' }
    const { status, headers, body } = await post(JSON.stringify([event('b-1'), bad]))
    assert.equal(status, 422)
    assert.match(String(headers['content-type']), /^application\/problem\+json/)
    const { code, index, field, seen, nearest, accepted } = body
    assert.deepEqual(
      { code, index, field, seen, nearest, accepted },
      {
        code: 'E_EVENT_INVALID',
        index: 1,
        field: 'kindd',
        seen: '"llm"',
        nearest: 'kind',
        accepted: 0
      }
    )
    assert.equal(await count(), before)
  })

  test('takes the good lines of a partial request and names the others', async () => {
    const before = await count()
    const lines = [JSON.stringify(event('c-1')), '{', JSON.stringify(event('c-2', { tenant: '' }))]
    const headers = { 'content-type': 'application/x-ndjson' }
    const whole = await post(lines.join('\n'), headers)
    assert.equal(whole.status, 400)
    assert.equal(await count(), before)
    const { status, body } = await post(lines.join('\n'), headers, '/v1/events?partial=true')
    assert.equal(status, 200)
    assert.deepEqual([body['accepted'], body['refused']], [1, 2])
    assert.equal((await count()) - before, 1)
  })

  test('reads gzip and deflate', async () => {
    const text = JSON.stringify([event('d-1')])
    for (const [encoding, body] of [
      ['gzip', gzipSync(text)],
      ['deflate', deflateSync(text)]
    ] as const) {
      assert.equal((await post(body, { 'content-encoding': encoding })).status, 200, encoding)
    }
  })

  for (const [encoding, squeeze] of [
    ['gzip', createGzip],
    ['deflate', createDeflate]
  ] as const) {
    test(`refuses a ${encoding} bomb of 1 GB while it streams, in flat memory`, async () => {
      const zeros = Buffer.alloc(1024 * 1024, 0x20)
      let sent = 0
      const bomb = Readable.from(
        (function* () {
          for (; sent < 1024; sent++) yield zeros
        })()
      ).pipe(squeeze({ level: 9 }))
      const before = process.memoryUsage().rss
      const reply = await post(Readable.toWeb(bomb) as Body, { 'content-encoding': encoding })
      assert.equal(reply.status, 413)
      assert.equal(reply.body['code'], 'E_BODY_TOO_LARGE')
      const grownMiB = (process.memoryUsage().rss - before) / 1024 / 1024
      assert.ok(grownMiB < 150, `memory grew by ${Math.round(grownMiB)} MiB`)
    })
  }

  test('refuses a plain body beyond its limit, declared or not', async () => {
    const big = Buffer.alloc(5 * 1024 * 1024, 0x20)
    assert.equal((await post(big)).status, 413)
    const stream = Readable.toWeb(Readable.from([big, big])) as Body
    assert.equal((await post(stream)).status, 413)
  })

  const HOSTILE: [string, string | Buffer, Record<string, string>, number][] = [
    ['nothing', '', {}, 400],
    ['truncated JSON', '[{"id":"x"', {}, 400],
    ['1 MB of junk', Buffer.alloc(1024 * 1024, 'junk€'), {}, 400],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), {}, 400],
    ['a million nested lists', '['.repeat(1_000_000), {}, 400],
    ['a million empty objects', `[${'{},'.repeat(1_300_000)}{}]`, {}, 400],
    ['a number', '42', {}, 422],
    ['null', 'null', {}, 422],
    ['null in a list', '[null]', {}, 422],
    ['wrong types', JSON.stringify(event('e', { duration_ms: 'long', links: {} })), {}, 422],
    ['negative tokens', JSON.stringify(event('e', { tokens: { in_uncached: -1 } })), {}, 422],
    ['negative usage', JSON.stringify(event('e', { usage: { prompt_tokens: -1 } })), {}, 422],
    [
      '2^53+1 tokens',
      `{"id":"e","time":"2026-11-24T10:00:00Z","tenant":"t","kind":"llm","tokens":{"in_uncached":9007199254740993}}`,
      {},
      422
    ],
    [
      '2^53+1 in usage',
      `{"id":"e","time":"2026-11-24T10:00:00Z","tenant":"t","kind":"llm","usage":{"prompt_tokens":9007199254740993}}`,
      {},
      422
    ],
    [
      'infinite usage',
      `{"id":"e","time":"2026-11-24T10:00:00Z","tenant":"t","kind":"llm","usage":{"x":1e999}}`,
      {},
      422
    ],
    ['a tenant with NUL', JSON.stringify(event('e', { tenant: 'a\u0000b' })), {}, 422],
    ['a tenant with a bidi override', JSON.stringify(event('e', { tenant: 'a\u202eb' })), {}, 422],
    ['a tenant with half a surrogate', JSON.stringify(event('e', { tenant: '\ud800' })), {}, 422],
    ['an endless tenant', JSON.stringify(event('e', { tenant: 'x'.repeat(100_000) })), {}, 422],
    ['a time in 1970', JSON.stringify(event('e', { time: '1970-01-01T00:00:00Z' })), {}, 422],
    ['a time in 10 years', JSON.stringify(event('e', { time: '2036-11-24T00:00:00Z' })), {}, 422],
    ['a time that is none', JSON.stringify(event('e', { time: '2026-02-30T00:00:00Z' })), {}, 422],
    [
      '__proto__',
      `{"id":"e","time":"2026-11-24T10:00:00Z","tenant":"t","kind":"llm","__proto__":{"admin":1}}`,
      {},
      422
    ],
    [
      '__proto__ in tags',
      `{"id":"e","time":"2026-11-24T10:00:00Z","tenant":"t","kind":"llm","tags":{"__proto__":"x"}}`,
      {},
      422
    ],
    ['constructor', JSON.stringify(event('e', { constructor: { prototype: {} } })), {}, 422],
    [
      'content in usage',
      JSON.stringify(event('e', { usage: { text: 'x'.repeat(40_000) } })),
      {},
      422
    ],
    ['no gzip', 'hello', { 'content-encoding': 'gzip' }, 400],
    ['truncated gzip', gzipSync('[1,2,3]').subarray(0, 12), { 'content-encoding': 'gzip' }, 400],
    ['brotli', 'x', { 'content-encoding': 'br' }, 415],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415]
  ]
  for (const [what, body, headers, status] of HOSTILE) {
    test(`refuses ${what} with ${status} and says why`, async () => {
      const reply = await post(body, headers)
      assert.equal(reply.status, status, JSON.stringify(reply.body))
      assert.ok(String(reply.body['detail']).length > 5)
      assert.match(String(reply.body['code']), /^E_/)
    })
  }

  test('takes tenants in any script', async () => {
    for (const tenant of ['тенант', '租户', 'شرکت', 'क्‍ष', '👩‍🚀 co']) {
      assert.equal((await post(JSON.stringify(event('u', { tenant })))).status, 200, tenant)
    }
  })

  test('answers other paths and methods with a problem, and stays alive', async () => {
    assert.equal((await post('{}', {}, '/v1/nothing')).status, 404)
    const { status } = await fetch(`${url}/v1/events`)
    assert.equal(status, 404)
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    assert.equal((await fetch(`${url}/readyz`)).status, 200)
  })

  test('survives senders that hang up in the middle of a body', async () => {
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      'POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n[{"id"'
    )
    await new Promise((resolve) => setImmediate(resolve))
    socket.destroy()
    assert.equal((await post(JSON.stringify(event('after')))).status, 200)
  })

  test('exports metrics with what it took and refused', async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    assert.match(text, /tally_events_total\{result="accepted"\} [1-9]/)
    assert.match(text, /tally_events_total\{result="refused"\} [1-9]/)
    assert.match(text, /tally_collect_faults_total\{source="native",code="E_BODY_TOO_LARGE"\} 4/)
    assert.match(text, /tally_collect_in_flight_bytes 0\n/)
    assert.match(text, /tally_collect_in_flight_events 0\n/)
  })
})
