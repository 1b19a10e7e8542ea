import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageEvent } from '../../schemas/event.ts'
import { ANSWER_TEXT, ANSWER_TOKENS } from '../../infra/emitters/answers.ts'
import {
  OVERLOADED_MODEL,
  startFakeProvider,
  type FakeProvider
} from '../../infra/emitters/fake-provider.ts'
import { loadTokenizer } from '../collect/count/tokenizer.ts'
import { eventRow } from '../collect/event-record.ts'
import { startCollector } from '../collect/start.ts'
import type { EventLog } from '../stream/log.ts'
import { createClient, type Client, type ClientOptions } from './client.ts'
import { askAnthropic } from './examples/anthropic.ts'
import { askOpenAi } from './examples/openai.ts'
import { askVercelAi } from './examples/vercel-ai.ts'

let fake: FakeProvider
before(async () => {
  fake = await startFakeProvider()
  await loadTokenizer()
})
after(() => fake.close())

const COLLECTOR = 'http://collector.test'

/** A client whose events are kept; its collector answers with the given statuses, then 200. */
const keepingClient = (
  options: Partial<ClientOptions> = {},
  statuses: number[] = []
): { client: Client; events: UsageEvent[] } => {
  const events: UsageEvent[] = []
  const send: typeof fetch = async (input, init) => {
    if (typeof input !== 'string' || !input.startsWith(COLLECTOR)) return fetch(input, init)
    const status = statuses.shift() ?? 200
    const sent = JSON.parse(init?.body as string) as unknown[]
    if (status === 200) events.push(...sent.map((event) => UsageEvent.parse(event)))
    return new Response('{}', { status })
  }
  const client = createClient({ url: COLLECTOR, tenant: 'acme', fetch: send, ...options })
  return { client, events }
}

const { input, cached, output } = ANSWER_TOKENS
const EXAMPLES = [
  { name: "OpenAI's SDK", ask: askOpenAi, provider: 'openai', api: 'chat' },
  { name: "Anthropic's SDK", ask: askAnthropic, provider: 'anthropic', api: 'messages' },
  { name: 'the Vercel AI SDK', ask: askVercelAi, provider: 'openai', api: 'responses' }
]

for (const { name, ask, provider, api } of EXAMPLES) {
  test(`calls of ${name} are metered whole and streamed, and work as before`, async () => {
    const { client, events } = keepingClient({ team: 'search' })
    assert.equal(await ask(client, fake.url), ANSWER_TEXT)
    await client.flush()
    assert.equal(events.length, 2)
    for (const event of events) {
      const row = eventRow(event)
      const { in_total, in_cache_read, out_total, status } = row
      assert.deepEqual([in_total, in_cache_read, out_total, status], [input, cached, output, 200])
      assert.deepEqual([row['provider'], row['api'], row['team']], [provider, api, 'search'])
      assert.match(String(row['response_id']), /^(chatcmpl-|msg_|resp_)[0-9a-f]{24}$/)
      assert.match(String(row['request_id']), /^req_/)
      assert.match(String(row['local_tokenizer']), /^gpt-tokenizer@[\d.]+\/o200k_base$/)
      assert.ok(
        Number(row['local_in']) >= 6 && Number(row['local_out']) === 7,
        JSON.stringify(event.local)
      )
      assert.equal(row['script'], 'Latn')
      assert.ok(!JSON.stringify(event).includes('pikes'), 'no content leaves the application')
    }
    assert.deepEqual(client.counts(), {
      sent: 2,
      dropped: { full: 0, rejected: 0, refused: 0, unreachable: 0 },
      unread: 0
    })
  })
}

/** A real collector, on a log that counts. */
const openCollector = async () => {
  let records = 0
  const log = {
    ensureTopic: async () => undefined,
    append: async (_topic: string, added: readonly unknown[]) => void (records += added.length)
  } as unknown as EventLog
  const options = { host: '127.0.0.1', port: 0, keyFile: null, now: () => new Date() }
  return { ...(await startCollector({ log, ...options })), records: () => records }
}

const chat = (more: object = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }], ...more })
})
const chatUrl = (): string => `${fake.url}/v1/chat/completions`

describe('a client', () => {
  test('tells failed, aborted and impossible calls too', async () => {
    const { client, events } = keepingClient()
    const limited = await client.fetch(chatUrl(), chat({ model: OVERLOADED_MODEL }))
    await limited.text()
    const cut = await client.fetch(chatUrl(), chat({ stream: true }))
    await cut.body?.cancel()
    await assert.rejects(client.fetch('http://127.0.0.1:1/v1/messages', chat()))
    await client.flush()
    assert.deepEqual(
      events.map(({ status, error_type }) => [status, error_type]),
      [
        [429, 'rate_limit_error'],
        [200, 'aborted'],
        [null, 'TypeError']
      ]
    )
  })

  test('leaves other requests and their answers alone', async () => {
    const { client, events } = keepingClient()
    assert.equal(
      (await client.fetch(`${fake.url}/v1/models`, { method: 'POST', body: '{}' })).status,
      404
    )
    await client.flush()
    assert.deepEqual(events, [])
  })

  test('joins a call to the trace that its headers name', async () => {
    const { client, events } = keepingClient()
    const [trace, span] = ['a'.repeat(32), 'b'.repeat(16)]
    const headers = { traceparent: `00-${trace}-${span}-01` }
    await (await client.fetch(chatUrl(), { ...chat(), headers })).text()
    await client.flush()
    assert.deepEqual([events[0]?.trace_id, events[0]?.parent_span_id], [trace, span])
  })

  test('records a call that was made otherwise', async () => {
    const { client, events } = keepingClient()
    const response = {
      id: 'chatcmpl-77777777',
      model: 'gpt-4o',
      usage: { prompt_tokens: 3, completion_tokens: 4 }
    }
    client.record({ url: chatUrl(), request: { model: 'gpt-4o' }, response, startedMs: Date.now() })
    await client.flush()
    assert.equal(eventRow(events[0]!)['in_total'], 3)
  })

  test('gives prompts that begin alike the same first steps of the ladder', async () => {
    const { client, events } = keepingClient()
    for (const end of ['one', 'two']) {
      const content = `${'The same long beginning. '.repeat(400)}${end}`
      await (await client.fetch(chatUrl(), chat({ messages: [{ role: 'user', content }] }))).text()
    }
    await client.flush()
    const [one, two] = events.map(({ prefix }) => prefix?.blocks ?? [])
    assert.equal(one?.length, 4)
    assert.deepEqual(one, two)
  })

  test('holds a bounded number of events, and counts what it drops', async () => {
    const { client, events } = keepingClient({ queueMax: 2 }, [503])
    for (let at = 0; at < 5; at++) await (await client.fetch(chatUrl(), chat())).text()
    await client.flush()
    assert.equal(events.length, 2, 'sent again after the collector was busy')
    assert.deepEqual(client.counts().dropped, { full: 3, rejected: 0, refused: 0, unreachable: 0 })
  })

  test('counts what the collector refuses, and goes on', async () => {
    const { client, events } = keepingClient({}, [401])
    await (await client.fetch(chatUrl(), chat())).text()
    await client.flush()
    await (await client.fetch(chatUrl(), chat())).text()
    await client.flush()
    assert.deepEqual([events.length, client.counts().dropped.refused], [1, 1])
  })

  test('tells apart what the collector took and what it rejected, one by one', async () => {
    const collector = await openCollector()
    const client = createClient({ url: collector.url, tenant: 'acme' })
    const call = { url: chatUrl(), request: { model: 'gpt-4o' }, response: {} }
    for (const startedMs of [Date.now(), 0, Date.now()]) client.record({ ...call, startedMs })
    await client.flush()
    assert.deepEqual([client.counts().sent, client.counts().dropped.rejected], [2, 1])
    client.record({ ...call, startedMs: 0 })
    await client.flush()
    assert.deepEqual([client.counts().sent, client.counts().dropped.rejected], [2, 2])
    assert.equal(collector.records(), 2, 'as the log says as well')
    await collector.close()
  })

  test('sends by itself after a while', async () => {
    const { client, events } = keepingClient({ flushMs: 5 })
    await (await client.fetch(chatUrl(), chat())).text()
    while (events.length === 0) await sleep(5)
    assert.equal(client.counts().sent, 1)
  })
})
