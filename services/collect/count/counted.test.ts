import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import avro from 'avsc'
import { EVENT_SCHEMA } from '../../../schemas/avro/event-schema.ts'
import { PREFIX_BYTES } from '../../../schemas/avro/fingerprint.ts'
import type { EventLog, OutRecord } from '../../stream/log.ts'
import { startCollector, type Collector } from '../start.ts'
import { loadTokenizer } from './tokenizer.ts'

/** Every dialect that sees content: it is posted as its senders do, counted here, and dropped. */

const ASKED = 'Почему щука ест плотву, когда вода холодная и прозрачная?'
const SYSTEM = 'Отвечай коротко.'
const SAID = 'Because roach are slow in cold water.'
const TIME = '2026-11-24T10:00:00Z'
const START = '1795514400000000000'

const type = avro.Type.forSchema(EVENT_SCHEMA as avro.Schema)
type Row = Record<string, unknown>

const spans = (attributes: Record<string, unknown>, events: unknown[] = []): object => ({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              traceId: 'a'.repeat(32),
              spanId: 'b'.repeat(16),
              name: 'chat',
              startTimeUnixNano: START,
              attributes: attributesOf(attributes),
              events
            }
          ]
        }
      ]
    }
  ]
})

const attributesOf = (attributes: Record<string, unknown>): object[] =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: { stringValue: typeof value === 'string' ? value : JSON.stringify(value) }
  }))

const moment = (name: string, attributes: Record<string, unknown>): object => ({
  name,
  timeUnixNano: START,
  attributes: attributesOf(attributes)
})

const GEN_AI = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' }
const USER = { role: 'user', content: ASKED }
const CHAT = [{ role: 'system', content: SYSTEM }, USER]
const COMPLETION = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_795_514_400,
  model: 'gpt-4o',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: SAID } }],
  usage: { prompt_tokens: 30, completion_tokens: 9, total_tokens: 39 }
}
const STREAM = [SAID.slice(0, 9), SAID.slice(9)]
  .map((content) => ({ ...COMPLETION, choices: [{ index: 0, delta: { content } }], usage: null }))
  .concat([{ ...COMPLETION, choices: [] } as never])
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .join('')
const PAYLOAD = {
  id: 'chatcmpl-1',
  litellm_call_id: 'c-1',
  call_type: 'acompletion',
  startTime: 1_795_514_400,
  endTime: 1_795_514_401,
  model: 'gpt-4o',
  messages: CHAT,
  response: COMPLETION
}

type Case = { door: string; body: unknown; asked?: string | null; said?: string | null }

const BOTH = `${SYSTEM}\n${ASKED}`
const otlp = (body: unknown, asked: string | null = BOTH, said: string | null = SAID): Case => ({
  door: '/v1/traces',
  body,
  asked,
  said
})
const parts = (...texts: string[]): object[] => texts.map((content) => ({ type: 'text', content }))

const CASES: Readonly<Record<string, Case>> = {
  LiteLLM: { door: '/v1/sources/litellm', body: [PAYLOAD] },
  'LiteLLM without its messages': {
    door: '/v1/sources/litellm',
    body: [
      {
        ...PAYLOAD,
        messages: [{ role: 'user', content: 'redacted-by-litellm' }],
        response: { text: 'redacted-by-litellm' }
      }
    ],
    asked: null,
    said: null
  },
  'the GenAI conventions': otlp(
    spans({
      ...GEN_AI,
      'gen_ai.system_instructions': parts(SYSTEM),
      'gen_ai.input.messages': [{ role: 'user', parts: parts(ASKED) }],
      'gen_ai.output.messages': [{ role: 'assistant', parts: parts(SAID), finish_reason: 'stop' }]
    })
  ),
  'the GenAI conventions on an event of the span': otlp(
    spans(GEN_AI, [
      moment('gen_ai.client.inference.operation.details', {
        'gen_ai.input.messages': [{ role: 'user', parts: parts(SYSTEM, ASKED) }],
        'gen_ai.output.messages': [{ role: 'assistant', parts: parts(SAID) }]
      })
    ])
  ),
  'the GenAI conventions before v1.37': otlp(
    spans(GEN_AI, [
      moment('gen_ai.system.message', { content: SYSTEM }),
      moment('gen_ai.user.message', { 'gen_ai.event.content': { content: ASKED } }),
      moment('gen_ai.choice', { 'gen_ai.event.content': { message: { content: SAID } } })
    ])
  ),
  'a span whose messages an SDK has cut': otlp(
    spans({
      ...GEN_AI,
      'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: parts(ASKED) }]).slice(0, 40),
      'gen_ai.output.messages': [{ role: 'assistant', parts: parts(SAID) }]
    }),
    null
  ),
  OpenLLMetry: otlp(
    spans({
      ...GEN_AI,
      'llm.request.type': 'chat',
      'gen_ai.prompt.0.role': 'system',
      'gen_ai.prompt.0.content': SYSTEM,
      'gen_ai.prompt.1.content': ASKED,
      'gen_ai.completion.0.content': SAID
    })
  ),
  'OpenInference, which tells everything twice': otlp(
    spans({
      'openinference.span.kind': 'LLM',
      'llm.input_messages.0.message.content': SYSTEM,
      'llm.input_messages.1.message.contents.0.message_content.text': ASKED,
      'input.value': { messages: CHAT, model: 'gpt-4o' },
      'llm.output_messages.0.message.content': SAID,
      'output.value': COMPLETION
    })
  ),
  'OpenInference with nothing but values': otlp(
    spans({
      'openinference.span.kind': 'LLM',
      'input.value': { messages: CHAT, model: 'gpt-4o' },
      'output.value': COMPLETION
    })
  ),
  'the Vercel AI SDK': otlp(
    spans({
      'ai.operationId': 'ai.generateText.doGenerate',
      'ai.prompt.messages': [CHAT[0], { role: 'user', content: [{ type: 'text', text: ASKED }] }],
      'ai.response.text': SAID
    })
  ),
  Langfuse: otlp(
    spans({
      'langfuse.observation.type': 'generation',
      'langfuse.observation.input': CHAT,
      'langfuse.observation.output': { role: 'assistant', content: SAID }
    })
  ),
  'a raw response beside its request': {
    door: '/v1/sources/responses',
    body: { request: { model: 'gpt-4o', messages: CHAT }, body: COMPLETION }
  },
  'a raw stream': {
    door: '/v1/sources/responses',
    body: { time: TIME, body: STREAM },
    asked: null
  },
  'a raw stream that was cut': {
    door: '/v1/sources/responses',
    body: { time: TIME, body: STREAM.slice(0, STREAM.indexOf('data:', 10) - 2) },
    asked: null,
    said: null
  },
  Bifrost: {
    door: '/v1/sources/bifrost',
    body: {
      TraceID: 't-1',
      Spans: [
        {
          SpanID: 's-1',
          Kind: 'llm.call',
          StartTime: TIME,
          Attributes: {
            'gen_ai.input.messages': CHAT,
            'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', content: SAID }])
          }
        }
      ]
    }
  },
  'Claude Code, by the blocks of an answer': {
    door: '/v1/sources/claude-code',
    body: {
      type: 'assistant',
      timestamp: TIME,
      sessionId: 's-1',
      message: {
        id: 'msg_1',
        model: 'claude-opus-4-7',
        stop_reason: 'end_turn',
        content: [{ type: 'text', text: SAID }],
        usage: { input_tokens: 5, output_tokens: 9 }
      }
    },
    asked: null
  }
}

describe('what was said is counted and dropped', async () => {
  const counter = await loadTokenizer()
  const records: OutRecord[] = []
  let collector: Collector
  before(async () => {
    const log = {
      ensureTopic: async () => undefined,
      append: async (_topic: string, added: readonly OutRecord[]) => void records.push(...added)
    } as unknown as EventLog
    const now = (): Date => new Date('2026-11-24T12:00:00Z')
    const settings = { tenantDefault: 'acme' }
    collector = await startCollector({
      log,
      host: '127.0.0.1',
      port: 0,
      keyFile: null,
      settings,
      now
    })
  })
  after(() => collector.close())

  const post = async (door: string, body: unknown): Promise<{ row: Row; bytes: Buffer }> => {
    records.length = 0
    const headers = { 'content-type': 'application/json' }
    const sent = { method: 'POST', headers, body: JSON.stringify(body) }
    const answer = await fetch(collector.url + door, sent)
    assert.equal(answer.status, 200, await answer.text())
    assert.equal(records.length, 1)
    const bytes = Buffer.from(records[0]?.value ?? [])
    return { row: type.fromBuffer(bytes.subarray(PREFIX_BYTES)) as Row, bytes }
  }
  const countOf = (text: string | null): number | null =>
    text === null || counter === null ? null : counter.count(text)

  for (const [name, { door, body, asked = BOTH, said = SAID }] of Object.entries(CASES)) {
    test(`of ${name}`, async () => {
      const { row, bytes } = await post(door, body)
      const { local_tokenizer, local_in, local_out, script } = row
      const any = asked !== null || said !== null
      assert.deepEqual(
        { local_tokenizer, local_in, local_out, script },
        {
          local_tokenizer: any ? (counter?.id ?? null) : null,
          local_in: countOf(asked),
          local_out: countOf(said),
          script: asked !== null ? 'Cyrl' : said !== null ? 'Latn' : null
        }
      )
      for (const text of [ASKED, SYSTEM, SAID]) assert.ok(!bytes.includes(text), 'it is dropped')
    })
  }

  test('but not what its sender has counted itself', async () => {
    const local = { tokenizer: 'theirs@1', in: 7, out: 3 }
    const event = { id: 'e-1', time: TIME, tenant: 'acme', kind: 'llm', local, script: 'Grek' }
    const { row } = await post('/v1/events', event)
    assert.deepEqual(
      [row['local_tokenizer'], row['local_in'], row['local_out'], row['script']],
      ['theirs@1', 7, 3, 'Grek']
    )
  })
})
