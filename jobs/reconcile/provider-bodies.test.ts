import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { roundUsd } from '../../schemas/money.ts'
import { normalize } from '../../services/collect/normalize/normalize.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import { priceUsage } from '../../services/rates/prices/usage.ts'
import { compareReported } from './reported-cost.ts'

const file = new URL('../../../shared/data/provider-usage/usages.jsonl.gz', import.meta.url)
const skip = existsSync(file) ? false : 'the recorded bodies are not here'
const book = await loadBook()

type Extractor = { provider_id: string; input_price?: string; output_price?: string }
type Entry = {
  body: { file?: string; usage?: Record<string, unknown> }
  model: string
  extracted: { extractors: Extractor[] }[]
}

const entries = (): Entry[] =>
  gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)

/** Who really served, by the recording's path; the oracle's name of it. */
const SERVERS: readonly (readonly [RegExp, string, string])[] = [
  [/openrouter/i, 'openrouter', 'openrouter'],
  [/bedrock/i, 'aws.bedrock', 'aws'],
  [/groq/i, 'groq', 'groq'],
  [/mistral/i, 'mistral_ai', 'mistral'],
  [/deepseek/i, 'deepseek', 'deepseek'],
  [/xai|grok/i, 'x_ai', 'x-ai'],
  [/anthropic/i, 'anthropic', 'anthropic'],
  [/google|gemini|vertex/i, 'gcp.gemini', 'google'],
  [/azure/i, 'azure.ai.openai', 'azure'],
  [/openai/i, 'openai', 'openai']
]

const NOW = Date.parse('2026-11-12T12:00:00Z')
/** The oracle's figures were recorded at different dates: prices of these days are tried. */
const EARLIER = ['2026-10-10', '2026-08-18', '2026-07-01'].map((day) => Date.parse(day))

const close = (left: bigint, right: bigint): boolean => {
  const off = left > right ? left - right : right - left
  return off <= right / 10_000n + 2n
}

/** Compares one body with the oracle: `agrees`, a reason why not, or null when there is nothing. */
const verdict = (entry: Entry): { provider: string; reason: string } | null => {
  const [, provider = '', oracle = ''] =
    SERVERS.find(([pattern]) => pattern.test(entry.body.file ?? '')) ?? []
  const prices = entry.extracted
    .flatMap(({ extractors }) => extractors)
    .filter((found) => found.provider_id === oracle)
    .filter(({ input_price, output_price }) => input_price ?? output_price)
    .map(
      ({ input_price, output_price }) => roundUsd(input_price ?? 0) + roundUsd(output_price ?? 0)
    )
  if (prices.length === 0) return null
  const read = normalize({ provider, api: null, model: entry.model, body: entry.body })
  const at = (timeMs: number): bigint | null =>
    priceUsage(book, {
      provider,
      request_model: entry.model,
      response_model: read.response_model,
      service_tier: read.service_tier,
      region: read.region,
      batch: read.batch,
      tokens: read.tokens,
      iterations: read.tokens.iterations,
      timeMs
    }).costPico
  const isAt = (timeMs: number): boolean => {
    const ours = at(timeMs)
    return ours !== null && prices.some((price) => close(price, ours))
  }
  return { provider, reason: isAt(NOW) ? 'agrees' : reasonOf(entry, read, isAt) }
}

const reasonOf = (
  entry: Entry,
  read: ReturnType<typeof normalize>,
  isAt: (timeMs: number) => boolean
): string => {
  if (EARLIER.some(isAt)) return 'priced at another date'
  if (read.tokens.iterations != null) return 'the oracle leaves sub-inferences out'
  if (/flex|priority/i.test(read.service_tier ?? '')) return 'the oracle ignores the tier'
  if ((read.tokens.in_audio ?? 0) > 0) return 'the oracle prices audio as text'
  if (entry.model.endsWith('-latest')) return 'the alias moved'
  return `unexplained: ${entry.model}`
}

describe('recorded bodies of providers', () => {
  test('cost what the oracle says, or differ for a reason', { skip }, (t) => {
    const counts = new Map<string, number>()
    for (const entry of entries()) {
      const found = verdict(entry)
      if (found === null) continue
      const key = `${found.provider}: ${found.reason}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const [key, count] of counts) t.diagnostic(`${key} ${count}`)
    const sum = (pattern: RegExp): number =>
      [...counts]
        .filter(([key]) => pattern.test(key))
        .reduce((total, [, count]) => total + count, 0)
    assert.deepEqual(
      [...counts.keys()].filter((key) => key.includes('unexplained')),
      []
    )
    assert.ok(sum(/agrees/) >= 0.93 * sum(/./), `${sum(/agrees/)} of ${sum(/./)}`)
  })

  test('that state a cost agree, or are classed as tool charge or price', { skip }, (t) => {
    const counts: Record<string, number> = {}
    for (const [index, entry] of entries().entries()) {
      if (typeof entry.body.usage?.['cost'] !== 'number') continue
      const read = normalize({
        provider: 'openrouter',
        api: null,
        model: entry.model,
        body: entry.body
      })
      const compared = compareReported(book, {
        id: String(index),
        time: '2026-11-12T12:00:00Z',
        tenant: 'a',
        kind: 'llm',
        provider: 'openrouter',
        response_model: entry.model,
        tokens: read.tokens,
        usage: entry.body.usage,
        cost_reported_usd: read.cost_reported_usd
      })
      const cause = compared === null ? 'no cost stated' : (compared.cause ?? 'agrees')
      counts[cause] = (counts[cause] ?? 0) + 1
      if (compared?.cause != null) {
        t.diagnostic(
          `${entry.model} ${compared.cause} ${compared.reportedPico} ${compared.oursPico}`
        )
      }
    }
    t.diagnostic(JSON.stringify(counts))
    assert.equal(counts['tool_charges'], 2)
    assert.equal(counts['price'], 1)
    assert.ok((counts['agrees'] ?? 0) >= 26)
    assert.equal(counts['unpriced'] ?? 0, 0)
  })
})
