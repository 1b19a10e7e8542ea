import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatUsd } from '../../../schemas/money.ts'
import { bookWith, loadBook } from './book.ts'
import { parseContracts } from './contracts.ts'
import { priceUsage, type PricedUsage } from './usage.ts'

/**
 * Prices that other meters got wrong or could not state, with the figures of the reports. Those
 * of counts are in `services/collect`; those of the list alone in `prices.test.ts`.
 */

const book = await loadBook()
const NOW = Date.parse('2026-11-20T12:00:00Z')
const M = 1_000_000

type Call = Omit<PricedUsage, 'timeMs'>
type Issue = {
  url: string
  shows: string
  contracts?: object
  calls: readonly Call[]
  /** What each call costs, or all together where it is one. */
  usd: string | readonly string[]
}

const luna = (tokens: PricedUsage['tokens']): Call => ({
  provider: 'openai',
  response_model: 'gpt-5.6-luna',
  batch: true,
  tokens
})
/** 300,083 tokens of prompts and 8 of answers make the 300,091 of the report; 4 and 4 is our split. */
const SHORT = luna({ in_uncached: 29, out_total: 4 })

const input = (provider: string, response_model: string, more: object = {}): Call => ({
  provider,
  response_model,
  tokens: { in_uncached: M },
  ...more
})
const THREE = [
  input('gcp.gemini', 'gemini-3.8-flash'),
  input('anthropic', 'claude-sonnet-4-6'),
  input('openai', 'gpt-4.1')
]
const discounts = (percents: Record<string, number>): object => ({
  contracts: Object.entries(percents).map(([provider, discount_pct]) => ({
    id: provider,
    provider,
    discount_pct
  }))
})

const ISSUES: readonly Issue[] = [
  {
    url: 'https://github.com/BerriAI/litellm/pull/39861',
    shows: 'a batch has the long tier for its long line alone, cache written: not 0.0300131',
    calls: [luna({ in_uncached: 3, in_cache_write_30m: 300_051, out_total: 4 }), SHORT],
    usd: '0.07502225'
  },
  {
    url: 'https://github.com/BerriAI/litellm/pull/39861',
    shows: 'and cache read: not 0.0300131 either',
    calls: [luna({ in_uncached: 3, in_cache_read: 300_051, out_total: 4 }), SHORT],
    usd: '0.00601052'
  },
  {
    url: 'https://github.com/BerriAI/litellm/issues/35958',
    shows: 'a stream that its client left costs what Bedrock charges in the United States',
    calls: [
      {
        provider: 'aws.bedrock',
        response_model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
        tokens: { in_uncached: 45, out_total: 511 }
      }
    ],
    usd: '0.00858'
  },
  {
    url: 'https://github.com/BerriAI/litellm/issues/27191',
    shows: 'a price of one own has one for cached tokens: 2,618 × 2.5 + 3,456 × 0.25 + 285 × 15',
    contracts: {
      models: [
        {
          provider: 'gateway',
          model: 'own',
          usd_per_million: { in: '2.5', read: '0.25', out: '15' }
        }
      ]
    },
    calls: [
      {
        provider: 'gateway',
        response_model: 'own',
        tokens: { in_uncached: 6074 - 3456, in_cache_read: 3456, out_total: 285 }
      }
    ],
    usd: '0.011684'
  },
  {
    url: 'https://github.com/latitude-dev/latitude-llm/pull/4051',
    shows: 'cache and reasoning are charged once: 0.108 for 34,603 tokens, by a split of ours',
    calls: [
      {
        provider: 'azure',
        response_model: 'gpt-5.1',
        tokens: { in_total: 26_951, in_cache_read: 1536, out_total: 7652, out_reasoning: 6904 }
      }
    ],
    usd: '0.10848075'
  },
  {
    url: 'https://github.com/dust-tt/dust/pull/23702',
    shows: 'a batch is charged 50 % of 0.75, 3 and 2',
    calls: THREE.map((call) => ({ ...call, batch: true })),
    usd: ['0.375', '1.5', '1']
  },
  {
    url: 'https://github.com/langfuse/langfuse/issues/14265',
    shows: 'a discount of 22 % is on every model of every provider',
    contracts: discounts({ google: 22, anthropic: 22, openai: 22 }),
    calls: THREE,
    usd: ['0.585', '2.34', '1.56']
  },
  {
    url: 'https://github.com/langfuse/langfuse/issues/14265',
    shows: 'discounts of 20, 25 and 15 % are on the providers that grant them',
    contracts: discounts({ google: 20, anthropic: 25, openai: 15 }),
    calls: THREE,
    usd: ['0.6', '2.25', '1.7']
  },
  {
    url: 'https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec/issues/2488',
    shows: 'of an input of 3, writing the cache is 125 % and reading it 10 %',
    calls: [
      input('anthropic', 'claude-sonnet-4-6'),
      input('anthropic', 'claude-sonnet-4-6', { tokens: { in_cache_write_5m: M } }),
      input('anthropic', 'claude-sonnet-4-6', { tokens: { in_cache_read: M } })
    ],
    usd: ['3', '3.75', '0.3']
  },
  {
    url: 'https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec/issues/2488',
    shows:
      'keeping it is a third charge, 3 for a million tokens and an hour where a contract has it',
    contracts: {
      models: [
        {
          provider: 'x',
          model: 'm',
          usd_per_million: { in: '3', write: '3.75', read: '0.3' },
          usd_per_unit: { cache_storage_mtok_hours: '3' }
        }
      ]
    },
    calls: [
      input('x', 'm', {
        tokens: { in_cache_write_5m: M, in_cache_read: M },
        units: { cache_storage_mtok_hours: 2 }
      })
    ],
    usd: '10.05'
  }
]

for (const { url, shows, contracts = {}, calls, usd } of ISSUES) {
  test(`${shows} (${url})`, () => {
    const own = bookWith(book, parseContracts(JSON.stringify(contracts)))
    const costs = calls.map((call) => {
      const { costPico, unpriced } = priceUsage(own, { ...call, timeMs: NOW })
      assert.ok(costPico !== null, unpriced ?? 'no usage')
      return costPico
    })
    const all = costs.reduce((sum, cost) => sum + cost, 0n)
    assert.deepEqual(typeof usd === 'string' ? formatUsd(all) : costs.map(formatUsd), usd)
  })
}
