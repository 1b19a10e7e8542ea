import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import { formatUsd } from '../../schemas/money.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import { parseCsv } from './csv.ts'
import { billDialects, loadImporter } from './import-bill.ts'
import { reconcile } from './reconcile.ts'
import { reportGap } from './report.ts'

const book = await loadBook()

const call = (id: string, rest: Partial<UsageEvent> = {}): UsageEvent => ({
  id,
  time: '2026-10-05T10:00:00Z',
  tenant: 'acme',
  kind: 'llm',
  provider: 'anthropic',
  response_model: 'claude-sonnet-4-6',
  tokens: { in_uncached: 1_000_000, out_text: 100_000, out_reasoning: 0 },
  ...rest
})

const costReport = (results: object[], day = '2026-10-05'): string =>
  JSON.stringify({
    data: [
      {
        starting_at: `${day}T00:00:00Z`,
        ending_at: new Date(Date.parse(day) + 86_400_000).toISOString(),
        results: results.map((result) => ({ currency: 'USD', workspace_id: null, ...result }))
      }
    ],
    has_more: false,
    next_page: null
  })

const tokens = (token_type: string, amount: string): object => ({
  amount,
  cost_type: 'tokens',
  token_type,
  model: 'claude-sonnet-4-6',
  service_tier: 'standard'
})

const gapOf = async (dialect: string, bill: string, events: UsageEvent[]) => {
  const importer = await loadImporter(dialect)
  return reportGap(reconcile(book, { lines: importer.read(bill), events }), '0.01')
}

describe('bills', () => {
  test('are found on disk and refused by an unknown name', async () => {
    assert.deepEqual(await billDialects(), [
      'anthropic/cost-report',
      'anthropic/usage-report',
      'focus',
      'openai/costs',
      'openai/usage',
      'openrouter/activity',
      'sglang/metrics',
      'vllm/metrics'
    ])
    assert.ok(await loadImporter('anthropic/cost_report'))
    await assert.rejects(loadImporter('aws/cur'), Failure)
  })

  test('of Anthropic state cents: 300 is three dollars', async () => {
    const bill = costReport([
      tokens('uncached_input_tokens', '300'),
      tokens('output_tokens', '150.00')
    ])
    const report = await gapOf('anthropic/cost-report', bill, [call('a')])
    assert.equal(report.totals.billed_usd, '4.5')
    assert.equal(report.totals.gap_usd, '0')
    assert.deepEqual(report.causes, [])
  })

  test('of OpenAI count cached and written tokens inside the input', async () => {
    const importer = await loadImporter('openai/usage')
    const lines = importer.read(
      JSON.stringify({
        data: [
          {
            start_time: 1_759_622_400,
            end_time: 1_759_708_800,
            results: [
              {
                model: 'gpt-5.6-sol',
                batch: false,
                num_model_requests: 3,
                input_tokens: 1000,
                input_cached_tokens: 300,
                input_cache_write_tokens: 200,
                output_tokens: 50
              }
            ]
          }
        ]
      })
    )
    assert.deepEqual(
      lines.map(({ meter, quantity, requests }) => [meter, quantity, requests]),
      [
        ['in_uncached', 500, 3],
        ['in_cache_read', 300, null],
        ['in_cache_write', 200, null],
        ['out', 50, null]
      ]
    )
  })

  test('of OpenRouter tell money by day and tokens by direction', async () => {
    const bill = JSON.stringify({
      data: [
        {
          date: '2026-10-05',
          model: 'anthropic/claude-sonnet-4.6',
          usage: 4.5,
          requests: 1,
          prompt_tokens: 1_000_000,
          completion_tokens: 100_000,
          reasoning_tokens: 0
        }
      ]
    })
    const event = call('a', {
      provider: 'openrouter',
      response_model: 'anthropic/claude-sonnet-4.6'
    })
    const report = await gapOf('openrouter/activity', bill, [event])
    assert.equal(report.totals.gap_usd, '0')
    const dearer = await gapOf('openrouter/activity', bill.replace('4.5', '5.4'), [event])
    assert.deepEqual(
      dearer.causes.map(({ cause, usd }) => [cause, usd]),
      [['price', '0.9']]
    )
  })

  test('in FOCUS read quoted CSV, scaled units and credits', async () => {
    const bill = [
      'BilledCost,BillingCurrency,ChargeCategory,ChargeDescription,ChargePeriodStart,ChargePeriodEnd,PricingQuantity,PricingUnit,ProviderName,SkuId,SkuMeter',
      '3,USD,Usage,"Input, plain",2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,1,1000000 Tokens,Anthropic,claude-sonnet-4-6/in,Input Tokens',
      '1.5,USD,Usage,"say ""out""",2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,0.1,1000000 Tokens,Anthropic,claude-sonnet-4-6/out,Output Tokens',
      '-2,USD,Credit,goodwill,2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,,,Anthropic,,'
    ].join('\r\n')
    const report = await gapOf('focus', bill, [call('a')])
    assert.deepEqual(
      report.causes.map(({ cause, usd }) => [cause, usd]),
      [['credits', '-2']]
    )
    assert.throws(() => parseCsv('a,b\n1\n'), Failure)
  })

  test('that are not as documented fail with the place of the fault', async () => {
    const bills: [string, string][] = [
      ['anthropic/cost-report', '{"data":[{"results":[{"amount":1}]}]}'],
      ['openai/costs', '{"data":[{"results":[{"amount":{"value":1}}]}]}'],
      ['openai/costs', 'not json'],
      ['focus', 'BilledCost,ProviderName\n1,x'],
      ['openrouter/activity', '{"data":[{"date":"2026-10-05"}]}']
    ]
    for (const [dialect, bill] of bills) {
      const importer = await loadImporter(dialect)
      assert.throws(() => importer.read(bill), { code: 'E_BILL_UNREADABLE' }, dialect)
    }
  })
})

describe('the gap', () => {
  const bill = costReport([tokens('uncached_input_tokens', '300'), tokens('output_tokens', '150')])
  const causes = async (events: UsageEvent[], text = bill) =>
    (await gapOf('anthropic/cost-report', text, events)).causes.map(({ cause, usd }) => [
      cause,
      usd
    ])

  test('of a call that was recorded twice is its copy, by id or by response id', async () => {
    assert.deepEqual(await causes([call('a'), call('a')]), [['duplicates', '-4.5']])
    const twice = [
      call('a', { response_id: 'r' }),
      call('b', { response_id: 'r', source: 'gateway' })
    ]
    assert.deepEqual(await causes(twice), [['duplicates', '-4.5']])
  })

  test('of two real calls that look alike is not a copy', async () => {
    const alike = [call('a', { response_id: 'r1' }), call('b', { response_id: 'r2' })]
    assert.deepEqual(await causes(alike), [['unbilled_calls', '-4.5']])
  })

  test('of traffic that we never saw is unseen calls, and tenants sum to the gap', async () => {
    const report = await gapOf('anthropic/cost-report', bill, [])
    assert.deepEqual(
      report.causes.map(({ cause, usd }) => [cause, usd]),
      [['unseen_calls', '4.5']]
    )
    assert.deepEqual(report.tenants, [{ tenant: null, gap_usd: '4.5' }])
    assert.equal(report.findings[0]?.direction, 'over')
  })

  test('of a page of the bill read twice is a duplicate charge', async () => {
    assert.deepEqual(await causes([call('a')], `[${bill},${bill}]`), [['duplicate_charges', '4.5']])
  })

  test('of batch calls charged as live ones is a wrong class, not a price', async () => {
    const events = [call('a', { batch: true }), call('b', { response_id: 'x' })]
    const twice = costReport([
      tokens('uncached_input_tokens', '600'),
      tokens('output_tokens', '300')
    ])
    assert.deepEqual(await causes(events, twice), [['misclassified_batch', '2.25']])
  })

  test('of searches nobody recorded is a tool charge', async () => {
    const searches = { amount: '7', cost_type: 'web_search', token_type: null, model: null }
    const text = costReport([
      tokens('uncached_input_tokens', '300'),
      tokens('output_tokens', '150'),
      searches
    ])
    assert.deepEqual(await causes([call('a')], text), [['tool_charges', '0.07']])
  })

  test('of amounts rounded to cents is rounding', async () => {
    const event = call('a', { tokens: { in_uncached: 1_000_001, out_total: 100_000 } })
    assert.deepEqual(await causes([event]), [['rounding', '-0.000003']])
  })

  test('of a model without a price is unpriced and not zero', async () => {
    const text = bill.replaceAll('claude-sonnet-4-6', 'claude-nobody-9')
    const event = call('a', { response_model: 'claude-nobody-9' })
    assert.deepEqual(await causes([event], text), [['unpriced', '4.5']])
  })

  test('ignores providers that the bill does not name', async () => {
    const other = call('b', { provider: 'openai', response_model: 'gpt-4.1' })
    assert.deepEqual(await causes([call('a'), other]), [])
  })

  test('is always the sum of its causes', async () => {
    const events = [call('a'), call('a'), call('c', { time: '2026-10-05T23:59:00Z' })]
    const importer = await loadImporter('anthropic/cost-report')
    const odd = costReport([
      tokens('uncached_input_tokens', '123.456789'),
      tokens('output_tokens', '1'),
      { amount: '3.3', cost_type: 'tokens', token_type: 'new_kind', model: 'x', service_tier: null }
    ])
    const found = reconcile(book, { lines: importer.read(odd), events })
    const sum = Object.values(found.causes).reduce((left, right) => left + right, 0n)
    assert.equal(formatUsd(sum), formatUsd(found.billedPico - found.oursPico))
  })
})
