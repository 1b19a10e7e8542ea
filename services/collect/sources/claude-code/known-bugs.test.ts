import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageEvent } from '../../../../schemas/event.ts'
import { eventRow } from '../../event-record.ts'
import claudeCode from './source.ts'

/** Figures from public bug reports of tools that read the same transcripts. */

const line = (id: string, usage: object, more: object = {}): string =>
  JSON.stringify({
    type: 'assistant',
    sessionId: 's-1',
    timestamp: '2026-05-14T07:47:58.123Z',
    message: { id, model: 'claude-opus-4-7', stop_reason: 'end_turn', usage },
    ...more
  })

/** Sums of a column over the calls of a transcript. */
const sumOf = (lines: readonly string[], column: string): { calls: number; sum: number } => {
  const bytes = Buffer.from(lines.join('\n'))
  const { items } = claudeCode.read({
    bytes,
    mediaType: null,
    door: null,
    headers: {},
    tenant: null
  })
  const rows = items.map(({ event }) => eventRow({ ...(event as UsageEvent), tenant: 'acme' }))
  return {
    calls: rows.length,
    sum: rows.reduce((sum, row) => sum + Number(row[column] ?? Number.NaN), 0)
  }
}

// https://github.com/ccusage/ccusage/issues/976
test('368 lines without a request id are 171 calls and 465,781 tokens, not 1,071,492', () => {
  const inputs = Array.from({ length: 171 }, (_, index) =>
    index === 0 ? 465_781 - 170 * 2723 : 2723
  )
  const once = inputs.map((input, index) =>
    line(`m-${index}`, { input_tokens: input, output_tokens: 1 })
  )
  const again = once.slice(1).concat(once.slice(1, 28))
  assert.equal(once.length + again.length, 368)
  assert.deepEqual(sumOf([...once, ...again], 'in_total'), { calls: 171, sum: 465_781 })
})

// https://github.com/ccusage/ccusage/issues/994
test('blocks of one answer on lines of their own are one answer: 384 and not 768', () => {
  const usage = {
    input_tokens: 6,
    output_tokens: 384,
    cache_creation_input_tokens: 11_352,
    cache_read_input_tokens: 22_076
  }
  const lines = [1, 2].map(() => line('msg_01XYZabcdefghijklmnopq', usage, { requestId: 'req_1' }))
  assert.deepEqual(sumOf(lines, 'out_total'), { calls: 1, sum: 384 })
  assert.deepEqual(sumOf(lines, 'in_total'), { calls: 1, sum: 6 + 11_352 + 22_076 })
})

// https://github.com/ccusage/ccusage/issues/938, https://github.com/junhoyeo/tokscale/pull/81
test('a stream of three snapshots counts by the last: 300 and neither 111 nor 600', () => {
  const snapshots = [111, 189, 300].map((output) =>
    line('msg_01XYZabcdefghijklmnopq', { input_tokens: 3, output_tokens: output })
  )
  assert.deepEqual(sumOf(snapshots, 'out_total'), { calls: 1, sum: 300 })
})

// https://github.com/ccusage/ccusage/pull/1661
test('a gateway that counts its ids anew in each session loses no call of another', () => {
  const usage = { input_tokens: 1, output_tokens: 1 }
  const lines = ['s-1', 's-2'].map((sessionId) => line('chatcmpl-0', usage, { sessionId }))
  assert.deepEqual(sumOf(lines, 'out_total'), { calls: 2, sum: 2 })
})
