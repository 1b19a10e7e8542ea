import assert from 'node:assert/strict'
import { BILL_WRITERS } from '../../../jobs/reconcile/fixtures/bill-writers.ts'
import type { BillLine } from '../../../jobs/reconcile/bill.ts'
import { billDialects, loadImporter } from '../../../jobs/reconcile/import-bill.ts'
import type { Targets } from '../target.ts'

/** Bills of every kind: what is read has sizes that can be added up. */

const DAY_MS = 86_400_000
const START_MS = Date.parse('2026-03-01T00:00:00Z')

const madeUp = (dialect: keyof typeof BILL_WRITERS): string => {
  const line = { bucket: 0, model: 'gpt-4o', batch: false, quantity: 1_200, pico: 12_345_678_900n }
  const lines = [
    { ...line, meter: 'in_uncached' as const },
    { ...line, bucket: 1, batch: true, meter: 'out' as const },
    { ...line, model: null, batch: null, meter: 'web_search' as const }
  ]
  const startMs = (bucket: number): number => START_MS + bucket * DAY_MS
  return BILL_WRITERS[dialect]({ provider: 'openai', lines, startMs, bucketMs: DAY_MS })
}

/** Reports that no writer of ours makes. */
const REPORTS: Readonly<Record<string, string>> = {
  'openai/usage': JSON.stringify({
    data: [
      {
        start_time: 1_772_323_200,
        end_time: 1_772_409_600,
        results: [
          {
            input_tokens: 1000,
            input_cached_tokens: 400,
            output_tokens: 50,
            num_model_requests: 3,
            model: 'gpt-4o-2024-08-06',
            batch: false,
            service_tier: 'default'
          }
        ]
      }
    ]
  }),
  'anthropic/usage-report': JSON.stringify({
    data: [
      {
        starting_at: '2026-03-01T00:00:00Z',
        ending_at: '2026-03-02T00:00:00Z',
        results: [
          {
            uncached_input_tokens: 100,
            cache_creation: { ephemeral_1h_input_tokens: 10, ephemeral_5m_input_tokens: 20 },
            cache_read_input_tokens: 30,
            output_tokens: 5,
            server_tool_use: { web_search_requests: 1 },
            model: 'claude-sonnet-4-5',
            service_tier: 'standard'
          }
        ]
      }
    ]
  }),
  'openrouter/activity': JSON.stringify({
    data: [
      {
        date: '2026-03-01',
        model: 'openai/gpt-4o',
        usage: 0.015,
        requests: 5,
        prompt_tokens: 50,
        completion_tokens: 125,
        reasoning_tokens: 25
      }
    ]
  })
}

/** What a counter of an engine told over time, as Prometheus answers a range query. */
const counters = (engine: string): string =>
  JSON.stringify({
    status: 'success',
    data: {
      resultType: 'matrix',
      result: ['prompt_tokens', 'generation_tokens', 'cached_tokens', 'num_requests'].map(
        (name) => ({
          metric: { __name__: `${engine}:${name}_total`, model_name: 'llama', instance: 'a' },
          values: [
            [START_MS / 1000, '1000'],
            [START_MS / 1000 + 3600, '1600'],
            [START_MS / 1000 + 7200, '5']
          ]
        })
      )
    }
  })

const seedOf = (dialect: string): string => {
  const writer = Object.keys(BILL_WRITERS).find((known) => known === dialect)
  const [engine = '', kind] = dialect.split('/')
  if (kind === 'metrics') return counters(engine)
  const text = writer === undefined ? REPORTS[dialect] : madeUp(writer as keyof typeof BILL_WRITERS)
  assert.ok(text !== undefined, `a seed of ${dialect} is missing`)
  return text
}

const isCount = (value: number | null): boolean => value === null || Number.isFinite(value)

const checkLine = (line: BillLine): void => {
  assert.ok(
    Number.isFinite(line.fromMs) && line.toMs >= line.fromMs,
    `${line.fromMs}..${line.toMs}`
  )
  assert.ok(isCount(line.quantity) && isCount(line.requests), 'a size that can not be added')
  assert.ok(line.amountPico !== null || line.quantity !== null, 'a line that says nothing')
  assert.equal(typeof line.roundingPico, 'bigint')
}

const bills: Targets = async () =>
  Promise.all(
    (await billDialects()).map(async (dialect) => {
      const { read } = await loadImporter(dialect)
      return {
        name: dialect.replace('/', '-'),
        seeds: () => [Buffer.from(seedOf(dialect))],
        refuses: ['E_BILL_UNREADABLE'],
        run: (bytes) => read(bytes.toString()).forEach(checkLine)
      }
    })
  )
export default bills
