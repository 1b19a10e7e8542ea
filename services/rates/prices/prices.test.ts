import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../../schemas/failure.ts'
import { formatUsd } from '../../../schemas/money.ts'
import { bookWith, loadBook } from './book.ts'
import { parseContracts } from './contracts.ts'
import { priceUsage, type PricedUsage } from './usage.ts'

const book = await loadBook()
const NOW = Date.parse('2026-11-20T12:00:00Z')

const usd = (usage: Partial<PricedUsage>, from = book): string | null => {
  const { costPico } = priceUsage(from, { tokens: {}, timeMs: NOW, ...usage })
  return costPico === null ? null : formatUsd(costPico)
}
const unpriced = (usage: Partial<PricedUsage>, from = book): string | null =>
  priceUsage(from, { tokens: {}, timeMs: NOW, ...usage }).unpriced

const openai = (model: string, tokens: PricedUsage['tokens'], rest: Partial<PricedUsage> = {}) =>
  usd({ provider: 'openai', response_model: model, tokens, ...rest })
const anthropic = (model: string, tokens: PricedUsage['tokens'], rest: Partial<PricedUsage> = {}) =>
  usd({ provider: 'anthropic', response_model: model, tokens, ...rest })

const M = 1_000_000

describe('the price book', () => {
  test('gives the golden costs of the reference', () => {
    const chat = { in_uncached: 440, in_cache_read: 2048, in_cache_write_30m: 512 }
    assert.equal(openai('gpt-5.6-sol', { ...chat, out_text: 220, out_reasoning: 400 }), '0.0175392')
    const response = {
      in_uncached: 784,
      in_cache_read: 1024,
      in_cache_write_30m: 8192,
      out_total: 900
    }
    assert.equal(openai('gpt-5.6-sol', response, { service_tier: 'priority' }), '0.1250112')
    const units = { web_search: 2 }
    assert.equal(openai('gpt-5.6-sol', response, { service_tier: 'priority', units }), '0.1450112')
    const message = {
      in_uncached: 18,
      in_cache_write_5m: 1000,
      in_cache_write_1h: 1089,
      in_cache_read: 45102,
      out_total: 512
    }
    assert.equal(anthropic('claude-sonnet-4-6', message, { units: { web_search: 1 } }), '0.0415486')
    const iterations = [
      { in_uncached: 4000, in_cache_read: 150_000, out_total: 2500 },
      { model: 'claude-opus-5-5', in_uncached: 900, in_cache_read: 20_000, out_total: 700 },
      { model: 'claude-sonnet-4-6', in_uncached: 1200, out_total: 150 }
    ]
    assert.equal(anthropic('claude-opus-5-5', { in_uncached: 900 }, { iterations }), '0.12345')
    const gemini = { in_uncached: 3808, in_cache_read: 8192, in_tool_use: 310, out_total: 1140 }
    const flash = { provider: 'gcp.gemini', response_model: 'gemini-3.8-flash', tokens: gemini }
    assert.equal(usd(flash), '0.0079779')
  })

  test('prices by the time of the call', () => {
    const cost = (time: string) =>
      openai('gpt-5.6-sol', { in_uncached: 100_000 }, { timeMs: Date.parse(time) })
    assert.equal(cost('2026-08-20T23:59:59Z'), '0.5')
    assert.equal(cost('2026-08-21T00:00:00Z'), '0.4')
    const flash = (time: string) =>
      usd({
        provider: 'gcp.gemini',
        response_model: 'gemini-3.8-flash',
        tokens: { in_uncached: M },
        timeMs: Date.parse(time)
      })
    assert.deepEqual(
      [flash('2026-12-31T23:00:00Z'), flash('2027-01-01T00:00:00Z')],
      ['0.75', '1.5']
    )
  })

  test('prices by the hour of the day and week where the provider does', () => {
    const cost = (time: string) =>
      usd({
        provider: 'deepseek',
        response_model: 'deepseek-v4-flash',
        tokens: { in_uncached: M },
        timeMs: Date.parse(time)
      })
    assert.equal(cost('2026-11-18T02:00:00Z'), '0.3')
    assert.equal(cost('2026-11-18T04:00:00Z'), '0.15')
    assert.equal(cost('2026-11-21T02:00:00Z'), '0.15')
  })

  test('reprices the whole call beyond a size tier, at the token where it begins', () => {
    const cost = (input: number) =>
      anthropic('claude-haiku-5-5', { in_uncached: input, out_text: M })
    assert.equal(cost(100_000), '0.51')
    assert.equal(cost(100_001), '2.5500005')
  })

  test('multiplies for regions and fast mode', () => {
    const one = { in_uncached: M }
    assert.equal(anthropic('claude-sonnet-4-6', one, { region: 'us' }), '3.3')
    assert.equal(anthropic('claude-sonnet-4-6', one, { region: 'global' }), '3')
    assert.equal(anthropic('claude-opus-5-5', one, { service_tier: 'fast' }), '8')
    assert.equal(openai('gpt-5.6-sol', { in_uncached: 1000 }, { region: 'EU' }), '0.0044')
  })

  test('charges modalities at their own rate and the rest at the rate of text', () => {
    const text = openai('gpt-4o-audio-preview-2024-12-17', { in_uncached: 1000 })
    const audio = openai('gpt-4o-audio-preview-2024-12-17', { in_uncached: 1000, in_audio: 400 })
    assert.deepEqual([text, audio], ['0.0025', '0.0175'])
  })

  test('says why there is no price and never says zero', () => {
    const tokens = { in_uncached: 1 }
    const at = (rest: Partial<PricedUsage>) => unpriced({ provider: 'openai', tokens, ...rest })
    assert.match(at({ response_model: 'gpt-nobody' }) ?? '', /no price of model gpt-nobody/)
    assert.match(at({ response_model: 'gpt-4.1', service_tier: 'odd' }) ?? '', /service tier odd/)
    assert.match(at({ response_model: 'gpt-4.1', units: { tea: 1 } }) ?? '', /no price of unit tea/)
    assert.equal(at({}), 'no model')
    const cold = { provider: 'home', model: 'm', usd_per_million: { in: 1, out: 1, write: 2 } }
    const own = bookWith(book, parseContracts(JSON.stringify({ models: [cold] })))
    const long = { provider: 'home', response_model: 'm', tokens: { in_cache_write_1h: 5 } }
    assert.equal(unpriced(long, own), 'no price of in_cache_write_1h')
    assert.equal(usd({ provider: 'openai', response_model: 'gpt-4.1' }), null)
    assert.equal(at({ response_model: 'gpt-4.1', tokens: {} }), null)
  })

  test('matches names exactly, with paths and dates taken off and nothing else', () => {
    const tokens = { in_uncached: M }
    const cost = (provider: string | null, response_model: string) =>
      priceUsage(book, { provider, response_model, tokens, timeMs: NOW })
    assert.equal(formatUsd(cost('gemini', 'models/gemini-3.8-flash').costPico ?? 0n), '0.75')
    const dated = cost('anthropic', 'claude-opus-5-5-20991231')
    assert.deepEqual(dated.assumptions, ['price of claude-opus-5-5'])
    assert.equal(cost('anthropic', 'claude-opus-5-55').costPico, null)
    assert.notEqual(
      cost('gemini', 'gemini-3.8-flash-cyber').costPico,
      cost('gemini', 'gemini-3.8-flash').costPico
    )
    assert.deepEqual(cost(null, 'claude-opus-5-5').assumptions, ['provider taken to be anthropic'])
    assert.deepEqual(cost('azure', 'o3-deep-research-2025-06-26').costPico !== null, true)
  })

  test('keeps price ids over builds and tells different prices apart', () => {
    const id = (rest: Partial<PricedUsage>) =>
      priceUsage(book, {
        provider: 'openai',
        response_model: 'gpt-5.6-sol',
        tokens: { in_uncached: 1 },
        timeMs: NOW,
        ...rest
      }).priceId
    assert.equal(id({}), 'openai/gpt-5.6-sol:standard@2026-08-21#' + id({})?.split('#')[1])
    const ids = [id({}), id({ batch: true }), id({ region: 'eu' }), id({ service_tier: 'flex' })]
    ids.push(id({ tokens: { in_uncached: 300_000 } }), id({ timeMs: Date.parse('2026-08-01') }))
    assert.equal(new Set(ids).size, ids.length)
  })
})

describe('contracts', () => {
  const own = bookWith(
    book,
    parseContracts(`
contracts:
  - { id: all, provider: anthropic, discount_pct: 10 }
  - { id: acme, provider: anthropic, provider_account: org-1, discount_pct: '20', from: 2026-11-01 }
  - { id: fixed, provider: openai, models: ['gpt-4.1'], usd_per_million: { in: '1.5' } }
models:
  - { provider: Home, model: Llama, aliases: [L], usd_per_million: { in: '0.1', out: 0.2 } }
`)
  )
  const one = { in_uncached: M }

  test('take the discount of the account before the general one', () => {
    const call = { provider: 'anthropic', response_model: 'claude-sonnet-4-6', tokens: one }
    assert.equal(usd(call, own), '2.7')
    assert.equal(usd({ ...call, provider_account: 'org-1' }, own), '2.4')
    const before = { ...call, provider_account: 'org-1', timeMs: Date.parse('2026-10-01') }
    assert.equal(usd(before, own), '2.7')
    assert.match(priceUsage(own, { ...call, timeMs: NOW }).priceId ?? '', /\+all#/)
  })

  test('replace list prices, of the standard tier unless they say otherwise', () => {
    const call = { provider: 'openai', response_model: 'gpt-4.1', tokens: one }
    assert.equal(usd(call, own), '1.5')
    assert.equal(usd({ ...call, batch: true }, own), '1')
  })

  test('add models of one own', () => {
    assert.equal(usd({ provider: 'home', response_model: 'l', tokens: one }, own), '0.1')
  })

  test('refuse what they do not know', () => {
    assert.throws(() => parseContracts('contracts: [{ id: x, provider: y, rebate: 3 }]'), Failure)
    assert.throws(
      () => parseContracts('contracts: [{ id: x, provider: y, discount_pct: 101 }]'),
      Failure
    )
  })
})

/** True figures that users state in the trackers of other meters; each was wrong somewhere. */
describe('figures that other meters got wrong', () => {
  const at = (rates: object, tokens: PricedUsage['tokens']): string | null => {
    const models = [{ provider: 'x', model: 'm', usd_per_million: rates }]
    const own = bookWith(book, parseContracts(JSON.stringify({ models })))
    return usd({ provider: 'x', response_model: 'm', tokens }, own)
  }

  test('cached tokens are charged once (litellm 14849: 0.1849; bifrost 904: 0.34)', () => {
    const cached = { in_total: 262_960, in_cache_read: 257_955, out_total: 1744 }
    const gemini = { ...cached, in_uncached: 262_960 - 257_955 }
    assert.equal(at({ in: 1.25, read: 0.625, out: 10 }, gemini), '0.184918125')
    const gpt5 = { in_uncached: 51_232, in_cache_read: 1_188_096, out_total: 12_909 }
    assert.equal(at({ in: 1.25, read: 0.125, out: 10 }, gpt5), '0.341642')
  })

  test('cache writes are not also input (bifrost 3451: 1.06376125)', () => {
    const tokens = { in_uncached: 6, in_cache_write_5m: 159_217, out_total: 2745 }
    assert.equal(anthropic('claude-opus-4-7', tokens), '1.06376125')
  })

  test('Bedrock counts cache beside input (phoenix 10036: 0.0048, 10783: 0.00663 of output)', () => {
    const cost = priceUsage(book, {
      provider: 'aws.bedrock',
      request_model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      tokens: { in_uncached: 3, in_cache_write_5m: 25, in_cache_read: 13_216, out_total: 12 },
      timeMs: NOW
    })
    assert.equal(formatUsd(cost.costPico ?? 0n), '0.004672305')
    const output = priceUsage(book, {
      provider: 'aws.bedrock',
      request_model: 'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
      tokens: { in_uncached: 3, in_cache_read: 7917, in_cache_write_unk: 350, out_total: 442 },
      timeMs: NOW
    })
    assert.equal(formatUsd(output.partsPico['out_text'] ?? 0n), '0.00663')
  })

  test('writes for an hour are not writes for five minutes (litellm 36762: 0.09634 for 9,634)', () => {
    const call = { provider: 'bedrock', request_model: 'global.anthropic.claude-opus-4-8' }
    assert.equal(usd({ ...call, tokens: { in_cache_write_1h: 9634 } }), '0.09634')
    assert.equal(usd({ ...call, tokens: { in_cache_write_5m: 9634 } }), '0.0602125')
  })

  test('all cache writes count, also those whose time to live is not told (litellm 42663)', () => {
    const split = { in_cache_write_5m: 31_490, in_cache_write_unk: 184_457 - 31_490 }
    assert.equal(
      anthropic('claude-sonnet-4-6', split),
      anthropic('claude-sonnet-4-6', { in_cache_write_5m: 184_457 })
    )
  })

  test('cached batch tokens keep their discount (litellm 38341) and the long tier (39861)', () => {
    const cached = openai('gpt-4.1', { in_cache_read: M }, { batch: true })
    assert.equal(cached, '0.5')
    const long = { in_uncached: 3, in_cache_write_30m: 300_051, out_total: 16 }
    const short = { in_uncached: 29, out_total: 4 }
    const parts = [long, short].map((tokens) => openai('gpt-5.6-luna', tokens, { batch: true }))
    assert.deepEqual(parts, ['0.07502775', '0.0000053'])
  })

  test('each attempt of a fallback is priced at its own model (litellm 39294)', () => {
    const iterations = [
      { model: 'claude-fable-5', in_cache_read: 560_186, out_total: 299 },
      { model: 'claude-opus-4-8', in_uncached: 412, out_total: 264 }
    ]
    assert.equal(anthropic('claude-opus-4-8', {}, { iterations }), '0.583796')
  })

  test('reasoning inside the output is charged once (tokscale 1142)', () => {
    const split = { out_text: 63_820 - 24_882, out_reasoning: 24_882 }
    assert.equal(openai('gpt-5.4', split), openai('gpt-5.4', { out_total: 63_820 }))
  })

  test('the caching example of FOCUS gives 1.50, 7.50, 2.40 and 22.50', () => {
    const rates = { in: 3, write: 3.75, read: 0.3, out: 15 }
    const costs = [
      at(rates, { in_uncached: 500_000 }),
      at(rates, { in_cache_write_5m: 2 * M }),
      at(rates, { in_cache_read: 8 * M }),
      at(rates, { out_total: 1_500_000 })
    ]
    assert.deepEqual(costs, ['1.5', '7.5', '2.4', '22.5'])
  })
})
