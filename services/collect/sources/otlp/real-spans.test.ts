import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { EventRow } from '../../../../schemas/avro/flatten-event.ts'
import { checkEvent } from '../../check-event.ts'
import { eventRow } from '../../event-record.ts'
import otlp from './source.ts'

/** Spans that real instrumentations exported, not ours: attributes as they wrote them. */
const DATA = new URL('../../../../../shared/data/', import.meta.url)
const skip = existsSync(DATA) ? false : 'no data folder beside the repository'

type Json = Record<string, unknown>
type RealSpan = { name: string; start: string; end: string | null; attributes: Json; scope?: Json }

const anyValue = (value: unknown): Json => {
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } }
  if (typeof value === 'object' && value !== null) return { stringValue: JSON.stringify(value) }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value !== 'number') return { stringValue: String(value) }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

const rowsOf = (spans: readonly RealSpan[]): EventRow[] => {
  const request = {
    resourceSpans: [
      {
        scopeSpans: spans.map(({ name, start, end, attributes, scope }, index) => ({
          scope: scope ?? {},
          spans: [
            {
              traceId: 'a'.repeat(32),
              spanId: String(index + 1).padStart(16, '0'),
              name,
              startTimeUnixNano: start,
              endTimeUnixNano: end ?? '0',
              attributes: Object.entries(attributes).map(([key, value]) => ({
                key,
                value: anyValue(value)
              }))
            }
          ]
        }))
      }
    ]
  }
  const reading = otlp.read({
    bytes: Buffer.from(JSON.stringify(request)),
    mediaType: 'application/json',
    door: '/v1/traces',
    headers: {},
    tenant: 'acme'
  })
  assert.deepEqual(reading.faults, [])
  return reading.items.map((item) => {
    const rules = {
      nowMs: Date.parse('2026-11-24T00:00:00Z'),
      tenantOnly: null,
      itemsMax: Infinity
    }
    const checked = checkEvent({ tenant: 'acme', ...withoutEmpty(item.event) }, item, rules)
    assert.ok('event' in checked, JSON.stringify(checked))
    return eventRow(checked.event)
  })
}

const withoutEmpty = (event: unknown): Json =>
  Object.fromEntries(Object.entries(event as Json).filter(([, value]) => value !== undefined))

const pick = (row: EventRow | undefined, ...columns: string[]): unknown[] =>
  columns.map((column) => row?.[column])

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, DATA), 'utf8'))
const START = '1770131992000000000'

describe('spans of real instrumentations', { skip }, () => {
  test('the conventions and OpenInference give one call the same model and tokens', () => {
    const spans = [
      'otel_genai_client_span_tool_calls',
      'openinference_client_span_input_output_only',
      'openinference_client_span_tool_calls'
    ].map((name) => ({
      name,
      start: START,
      end: null,
      attributes: read(`otel-spans/genai/${name}.json`) as Json
    }))
    for (const row of rowsOf(spans)) {
      assert.deepEqual(
        pick(row, 'kind', 'provider', 'request_model', 'response_model', 'temperature'),
        ['llm', 'openai', 'gpt-4', 'gpt-4-0613', 0.5]
      )
      assert.deepEqual(pick(row, 'in_total', 'in_uncached', 'out_total'), [97, 97, 52])
      assert.equal(row['in_cache_read'], null)
    }
  })

  test('a tool span names its tool', () => {
    const attributes = read('otel-spans/genai/otel_genai_tool_execution_span.json') as Json
    const [row] = rowsOf([{ name: 'execute_tool', start: START, end: null, attributes }])
    assert.deepEqual(pick(row, 'kind', 'name', 'in_total'), ['tool', 'get_weather', null])
  })

  test('the AI SDK counts each call once, in the inner span', () => {
    type Exported = { name: string; startTime: [number, number]; endTime: [number, number] } & {
      attributes: Json
    }
    const exported = read('otel-spans/vercel-ai-v6/all-spans.json') as Exported[]
    const nano = ([seconds, rest]: [number, number]): string =>
      String(BigInt(seconds) * 1_000_000_000n + BigInt(rest))
    const rows = rowsOf(
      exported.map(({ name, startTime, endTime, attributes }) => ({
        name,
        start: nano(startTime),
        end: nano(endTime),
        attributes
      }))
    )
    const told = rows.map((row) => pick(row, 'kind', 'in_total', 'out_total'))
    assert.deepEqual(told, [
      ['llm', 14, 20],
      ['agent', null, null],
      ['llm', 50, 9],
      ['agent', null, null],
      ['llm', 63, 156],
      ['agent', null, null],
      ['llm', 15, 112],
      ['agent', null, null],
      ['embedding', 10, null],
      ['agent', null, null]
    ])
    const [first, , , , , , stream] = rows
    assert.deepEqual(
      pick(first, 'provider', 'api', 'service_tier', 'response_model', 'stop_class', 'duration_ms'),
      ['openai', 'responses', 'default', 'gpt-4o-mini-2024-07-18', 'complete', 1779]
    )
    assert.deepEqual(pick(stream, 'ttft_ms', 'in_cache_read', 'out_reasoning'), [427, 0, 0])
  })

  test('framework traces give the tokens that their backend stored, call by call', () => {
    const folder = new URL('agent-trajectories/framework-traces/', DATA)
    let compared = 0
    for (const file of readdirSync(folder)) {
      const text = gunzipSync(readFileSync(new URL(file, folder))).toString()
      const { observations } = JSON.parse(text) as { observations: Json[] }
      for (const observation of observations) compared += compare(file, observation)
    }
    assert.equal(compared, 10)
  })
})

/** 1 when both sides report tokens and agree; fails when they do not. */
const compare = (file: string, observation: Json): number => {
  const { metadata, startTime, endTime, name, usageDetails } = observation
  const stored = (typeof metadata === 'string' ? JSON.parse(metadata) : metadata) as Json | null
  const attributes = stored?.['attributes'] as Json | undefined
  if (attributes === undefined) return 0
  const nano = (time: unknown): string => String(BigInt(Date.parse(String(time))) * 1_000_000n)
  const end = endTime === undefined || endTime === null ? null : nano(endTime)
  const scope = stored?.['scope'] as Json
  const [row] = rowsOf([{ name: String(name), start: nano(startTime), end, attributes, scope }])
  const usage = (usageDetails ?? {}) as Json
  if (row === undefined || row['in_total'] === null) return 0
  assert.deepEqual(
    pick(row, 'kind', 'in_total', 'out_total', 'usage_confidence'),
    ['llm', usage['input'], usage['output'], 'high'],
    `${file} ${String(name)}`
  )
  return 1
}
