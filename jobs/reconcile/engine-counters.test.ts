import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import { loadImporter } from './import-bill.ts'
import { reconcile } from './reconcile.ts'
import { reportGap } from './report.ts'

const HOUR_S = 3600
const START_S = Date.parse('2026-10-05T10:00:00Z') / 1000

/** A counter's samples every half hour. */
const series = (name: string, values: readonly number[], instance = 'a') => ({
  metric: { __name__: name, model_name: 'Qwen3-32B', instance },
  values: values.map((value, index) => [START_S + (index * HOUR_S) / 2, String(value)])
})

const linesOf = async (dialect: string, result: readonly object[]) => {
  const importer = await loadImporter(dialect)
  return importer.read(
    JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })
  )
}

const read = async (dialect: string, ...result: object[]) => {
  const lines = await linesOf(dialect, result)
  return lines.map((line) => [line.fromMs / 1000, line.meter, line.quantity, line.requests])
}

describe('counters of an engine', () => {
  test('are tokens of each hour, cached ones apart, over its servers', async () => {
    const lines = await read(
      'vllm/metrics',
      series('vllm:prompt_tokens_total', [1000, 1600, 2000]),
      series('vllm:prompt_tokens_total', [0, 0, 100], 'b'),
      series('vllm:prefix_cache_hits_total', [0, 300, 300]),
      series('vllm:generation_tokens_total', [50, 60, 90]),
      series('vllm:request_success_total', [1, 2, 4])
    )
    assert.deepEqual(lines, [
      [START_S, 'in_uncached', 800, 3],
      [START_S, 'in_cache_read', 300, null],
      [START_S, 'out', 40, null]
    ])
  })

  test('that begin again have counted from nothing; a sample on the hour closes it', async () => {
    const lines = await read(
      'vllm/metrics',
      series('vllm:prompt_tokens_total', [900, 1000, 30, 50])
    )
    assert.deepEqual(lines, [
      [START_S, 'in', 130, null],
      [START_S + HOUR_S, 'in', 20, null]
    ])
  })

  test('of SGLang have names of their own', async () => {
    const lines = await read(
      'sglang/metrics',
      series('sglang:prompt_tokens_total', [0, 100]),
      series('sglang:cached_tokens_total', [0, 100]),
      series('sglang:generation_tokens_total', [0, 7])
    )
    assert.deepEqual(lines, [
      [START_S, 'in_cache_read', 100, null],
      [START_S, 'out', 7, null]
    ])
  })

  test('are refused where a value is no number, or the text no answer of Prometheus', async () => {
    const broken = { metric: {}, values: [[START_S, 'NaN']] }
    await assert.rejects(read('vllm/metrics', broken), Failure)
    const { read: lines } = await loadImporter('vllm/metrics')
    assert.throws(() => lines('{"data":{}}'), Failure)
  })

  test('show the calls that were not recorded, in tokens where the model has no price', async () => {
    const lines = await linesOf('vllm/metrics', [
      series('vllm:prompt_tokens_total', [0, 600]),
      series('vllm:generation_tokens_total', [0, 60])
    ])
    const event: UsageEvent = {
      id: 'a',
      time: new Date(START_S * 1000 + 60_000).toISOString(),
      tenant: 'acme',
      kind: 'llm',
      provider: 'vllm',
      response_model: 'Qwen3-32B',
      tokens: { in_uncached: 200, out_text: 20, out_reasoning: 0 }
    }
    const { remarks } = reportGap(reconcile(await loadBook(), { lines, events: [event] }), '0.01')
    assert.deepEqual(remarks, [
      {
        provider: 'vllm',
        remark:
          'qwen3-32b has no price, and its tokens differ: ' +
          'in 600 on the bill, 200 recorded, out 60 on the bill, 20 recorded'
      }
    ])
  })
})
