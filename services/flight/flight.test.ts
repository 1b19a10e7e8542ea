import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import { takeIn } from '../collect/intake.ts'
import otlp from '../collect/sources/otlp/source.ts'
import { NOTHING_KEPT, parsePolicies, type Policies } from './policy.ts'
import { createRecorder, settleFlights } from './recorder.ts'
import { createRedact } from './redact.ts'
import { replayFlight, type Step } from './replay.ts'
import { openFlightStore, tenantId } from './store.ts'

const NOW_MS = Date.parse('2026-10-06T09:00:00Z')
const DAY_MS = 86_400_000

const newStore = () => {
  const root = mkdtempSync(join(tmpdir(), 'flight-'))
  const kept = (area: string, tenant: string): string[] => {
    try {
      return readdirSync(join(root, area, tenantId(tenant)))
    } catch {
      return []
    }
  }
  return { root, store: openFlightStore(root), kept }
}

const event = (more: Partial<UsageEvent>): UsageEvent => ({
  id: 'e',
  time: new Date(NOW_MS).toISOString(),
  tenant: 'acme',
  kind: 'llm',
  trace_id: 't1',
  ...more
})

const policies = (yaml: string): Policies => parsePolicies(yaml, 'policy.yaml')

test('without a policy nothing is kept, and a mistake in one is told with its place', () => {
  const { store, kept } = newStore()
  assert.equal(createRecorder(store, NOTHING_KEPT)(event({}), { prompt: 'hi' }), null)
  assert.deepEqual(kept('kept', 'acme'), [])
  assert.throws(
    () => policies('tenants: { acme: { record: some } }'),
    (error) => error instanceof Failure && error.message.includes('tenants.acme.record')
  )
  assert.throws(() => policies("default: { record: all, redact: { x: '(' } }"), Failure)
})

test('a content is stored once per tenant, compressed, and comes back as it was', () => {
  const { store, kept, root } = newStore()
  const record = createRecorder(store, policies('default: { record: all }'))
  const said = { prompt: 'say it again. '.repeat(500), temperature: 0.5 }
  const first = record(event({}), said)
  assert.equal(record(event({ id: 'f', trace_id: 't2' }), said), first)
  assert.notEqual(first, null)
  assert.deepEqual(store.get('acme', first!), said)
  assert.equal(store.get('globex', first!), null)
  const [name = ''] = kept('kept', 'acme')
  assert.equal(kept('kept', 'acme').length, 1)
  const bytes = readFileSync(join(root, 'kept', tenantId('acme'), name))
  assert.ok(bytes.length < 200)
  assert.deepEqual(JSON.parse(gunzipSync(bytes).toString()), said)
})

test('secrets, addresses and cards are gone before anything is stored; other numbers stay', () => {
  const redact = createRedact({ order: String.raw`ORD-\d+` })
  const done = redact({
    authorization: 'x',
    deep: [{ text: 'mail a.b@c.example, key sk-abcdefghijklmnop1234, ORD-77' }],
    card: '4111 1111 1111 1111',
    count: '1234567890123'
  })
  assert.deepEqual(done, {
    authorization: '[secret]',
    deep: [{ text: 'mail [email], key [secret], [order]' }],
    card: '[card]',
    count: '1234567890123'
  })
})

test('in mode findings a flight is held, kept by an error or a finding, else forgotten', () => {
  const { store, kept } = newStore()
  const rules = policies('default: { record: findings, hold_hours: 24, keep_days: 30 }')
  const record = createRecorder(store, rules)
  const before = record(event({ trace_id: 'failed' }), { prompt: 'before the error' })!
  record(event({ trace_id: 'failed', id: 'g', status: 500 }), { prompt: 'the error' })
  const found = record(event({ trace_id: 'found' }), { prompt: 'in the finding' })!
  const hour = new Date(NOW_MS + 3_600_000).toISOString()
  record(event({ trace_id: 'other', time: hour }), { prompt: 'nothing wrong' })
  assert.equal(kept('kept', 'acme').length, 2)
  const findings = [
    {
      tenant: 'acme',
      started_at: new Date(NOW_MS - 60_000).toISOString(),
      detected_at: new Date(NOW_MS + 60_000).toISOString()
    }
  ]
  const done = settleFlights(store, rules, { findings, nowMs: NOW_MS + 2 * DAY_MS })
  assert.equal(done.kept, 1)
  assert.deepEqual(kept('held', 'acme'), [])
  assert.equal(kept('kept', 'acme').length, 3)
  assert.deepEqual(store.get('acme', before), { prompt: 'before the error' })
  assert.deepEqual(store.get('acme', found), { prompt: 'in the finding' })
  settleFlights(store, rules, { findings: [], nowMs: NOW_MS + 31 * DAY_MS })
  assert.equal(store.get('acme', found), null)
})

test('in mode sampled whole flights are kept, about as many as asked for', () => {
  const { store } = newStore()
  const record = createRecorder(store, policies('default: { record: sampled, share: 0.25 }'))
  let flights = 0
  for (let trace = 0; trace < 400; trace++) {
    const refs = [0, 1].map((step) => record(event({ trace_id: `t${trace}` }), { step, trace }))
    assert.equal(refs[0] === null, refs[1] === null)
    if (refs[0] !== null) flights += 1
  }
  assert.ok(flights > 70 && flights < 130, `${flights} of 400`)
})

const span = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'tenant.id', value: { stringValue: 'acme' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: '0af7651916cd43dd8448eb211c80319c',
              spanId: 'b7ad6b7169203331',
              name: 'chat',
              startTimeUnixNano: `${NOW_MS}000000`,
              endTimeUnixNano: `${NOW_MS + 900}000000`,
              attributes: [
                { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
                { key: 'gen_ai.request.temperature', value: { doubleValue: 0.2 } },
                { key: 'gen_ai.input.messages', value: { stringValue: 'PRIVATE WORDS' } }
              ]
            }
          ]
        }
      ]
    }
  ]
}

test('the collector drops content unless the recorder is on for that tenant', () => {
  const message = {
    bytes: Buffer.from(JSON.stringify(span)),
    mediaType: 'application/json',
    door: '/v1/traces',
    headers: {},
    tenant: null
  }
  const rules = { nowMs: NOW_MS, tenantOnly: null, itemsMax: 10 }
  const dropped = takeIn(otlp, message, rules)
  assert.equal(dropped.records.length, 1)
  assert.ok(!Buffer.from(dropped.records[0]!.value!).includes('PRIVATE'))
  const { store } = newStore()
  const seen: (string | null)[] = []
  const recorder = createRecorder(store, policies('tenants: { acme: { record: all } }'))
  const kept = takeIn(otlp, message, {
    ...rules,
    record: (one, content) => {
      const ref = recorder(one, content)
      seen.push(ref)
      return ref
    }
  })
  assert.ok(!Buffer.from(kept.records[0]!.value!).includes('PRIVATE'))
  assert.ok(Buffer.from(kept.records[0]!.value!).includes(seen[0]!))
  assert.deepEqual(store.get('acme', seen[0]!), {
    'gen_ai.request.temperature': 0.2,
    'gen_ai.input.messages': 'PRIVATE WORDS'
  })
})

const step = (more: Partial<Step>): Step => ({
  time_ms: NOW_MS,
  tenant: 'acme',
  kind: 'llm',
  name: null,
  id: 'i',
  span_id: null,
  parent_span_id: null,
  duration_ms: 5,
  attempt: null,
  model: 'm-1',
  temperature: 0,
  status: null,
  error_type: null,
  in_total: 10,
  in_cache_read: null,
  out_total: 2,
  stop_reason: null,
  verdict: null,
  system_prompt_hash: 'p',
  args_hash: null,
  result_hash: null,
  result_truncated: null,
  content_ref: null,
  cost_usd: null,
  ...more
})

test('a flight is replayed in the order of its calls, saying what is missing of each step', () => {
  const steps = [
    step({ kind: 'agent', name: 'planner', span_id: 'a', model: null }),
    step({ span_id: 'b', parent_span_id: 'a', time_ms: NOW_MS + 10, content_ref: 'x' }),
    step({ kind: 'tool', name: 'search', span_id: 'c', parent_span_id: 'b', time_ms: NOW_MS + 40 }),
    step({ span_id: 'd', parent_span_id: 'gone', time_ms: NOW_MS + 20, model: null })
  ]
  const replayed = replayFlight(steps, (tenant, ref) =>
    tenant === 'acme' && ref === 'x' ? { prompt: 'hi' } : null
  )
  assert.deepEqual(
    replayed.map(({ step: { span_id: span }, depth, afterMs }) => [span, depth, afterMs]),
    [
      ['a', 0, 0],
      ['b', 1, 10],
      ['c', 2, 40],
      ['d', 0, 20]
    ]
  )
  assert.deepEqual(replayed[1]!.content, { prompt: 'hi' })
  assert.deepEqual(replayed[1]!.missing, [])
  assert.deepEqual(replayed[2]!.missing, ['result', 'content (not recorded)'])
  assert.deepEqual(replayed[3]!.missing, ['model', 'parent', 'content (not recorded)'])
})
