import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import fc from 'fast-check'
import { BUCKETS, MODALITIES, TOKEN_FIELDS, TOTALS, type Tokens } from '../../../schemas/tokens.ts'
import { bookWith, loadBook } from './book.ts'
import {
  costSql,
  PRICE_ROW_COLUMNS,
  priceIdSql,
  priceJoinSql,
  priceRows,
  unpricedSql,
  type PriceRow
} from './columns.ts'
import { parseContracts } from './contracts.ts'
import type { PriceQuery } from './price.ts'
import { priceUsage } from './usage.ts'

const CONTRACTS = `
contracts:
  - { id: acme, provider: anthropic, provider_account: org-1, discount_pct: 12.5, from: 2026-08-25 }
  - { id: flat, provider: openai, models: ['gpt-4o*'], usd_per_million: { in: '1.9' }, to: 2026-09-03 }
models:
  - { provider: home, model: llama, usd_per_million: { in: '0.1', out: '0.2' } }
`
const book = bookWith(await loadBook(), parseContracts(CONTRACTS))

const FROM = Date.parse('2026-08-19')
const TO = Date.parse('2026-09-04')

const MODELS: readonly (readonly [string | null, string])[] = [
  ['openai', 'gpt-5.6-sol'],
  ['openai', 'gpt-4o-2024-08-06'],
  ['anthropic', 'claude-haiku-5-5'],
  ['anthropic', 'claude-sonnet-4-6'],
  ['deepseek', 'deepseek-v4-flash'],
  ['gcp.gemini', 'gemini-2.5-flash'],
  ['gemini', 'gemini-3.8-flash'],
  ['xai', 'grok-4-fast-reasoning'],
  ['azure', 'gpt-5.6-sol'],
  ['home', 'llama'],
  ['openai', 'no-such-model'],
  [null, 'claude-opus-5-5'],
  ['dashscope', 'qwen3.7-plus']
]

const query: fc.Arbitrary<PriceQuery> = fc
  .record({
    pair: fc.constantFrom(...MODELS),
    service_tier: fc.constantFrom(null, 'default', 'flex', 'priority', 'fast', 'odd', 'ptu'),
    region: fc.constantFrom(null, 'us', 'eu', 'global'),
    batch: fc.constantFrom(null, false, true),
    provider_account: fc.constantFrom(null, 'org-1'),
    asked: fc.boolean()
  })
  .map(({ pair, asked, ...rest }) => ({
    ...rest,
    provider: pair[0],
    request_model: asked ? pair[1] : 'whatever',
    response_model: asked ? null : pair[1]
  }))

/** Small counts, counts around the size tiers, and nothing at all. */
const count = fc.oneof(
  fc.constant(null),
  fc.nat({ max: 5000 }),
  fc.constantFrom(0, 100_000, 100_001, 128_000, 199_999, 200_001, 272_000, 272_001, 900_000)
)
const tokens: fc.Arbitrary<Tokens> = fc.record(
  Object.fromEntries([...BUCKETS, ...TOTALS, ...MODALITIES].map((name) => [name, count]))
)
const callOf = (queries: readonly PriceQuery[]) =>
  fc.record({
    query: fc.constantFrom(...queries),
    tokens,
    timeMs: fc.integer({ min: FROM, max: TO - 1 })
  })
type Call = { query: PriceQuery; tokens: Tokens; timeMs: number }

const literal = (value: string | boolean | bigint | number | null | undefined): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value ?? null)

const valuesSql = (names: readonly string[], rows: readonly PriceRow[]): string =>
  rows.map((row) => `(${names.map((name) => literal(row[name])).join(', ')})`).join(',\n')

describe('pricing in SQL', () => {
  let instance: DuckDBInstance
  let database: DuckDBConnection
  before(async () => {
    instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    database = await instance.connect()
  })
  after(() => {
    database.closeSync()
    instance.closeSync()
  })

  const priceInSql = async (calls: readonly Call[]) => {
    const combinations = [...new Map(calls.map((c) => [JSON.stringify(c.query), c.query])).values()]
    const rows = priceRows(book, combinations, { fromMs: FROM, toMs: TO })
    const columns = PRICE_ROW_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ')
    const names = PRICE_ROW_COLUMNS.map(({ name }) => name)
    await database.run(`CREATE OR REPLACE TABLE p (${columns})`)
    await database.run(`INSERT INTO p VALUES ${valuesSql(names, rows)}`)
    const keys = Object.keys(combinations[0] ?? {})
    const fields = [...keys, 'n', 'ms', 'kind', ...TOKEN_FIELDS]
    const events = calls.map((c, n) => ({
      ...c.query,
      ...c.tokens,
      n: BigInt(n),
      ms: BigInt(c.timeMs),
      kind: 'llm'
    })) as unknown as PriceRow[]
    const types = fields.map((name) =>
      name === 'batch'
        ? `${name} BOOLEAN`
        : keys.includes(name) || name === 'kind'
          ? `${name} VARCHAR`
          : `${name} BIGINT`
    )
    await database.run(`CREATE OR REPLACE TABLE raw (${types.join(', ')})`)
    await database.run(`INSERT INTO raw VALUES ${valuesSql(fields, events)}`)
    const sql = `SELECT n, ${costSql('e', 'p')} AS cost, ${priceIdSql('e', 'p')} AS id,
        ${unpricedSql('e', 'p')} AS unpriced
      FROM (SELECT *, make_timestamp(ms * 1000)::TIMESTAMPTZ AS time FROM raw) e
      LEFT JOIN p ON ${priceJoinSql('e', 'p')} ORDER BY n`
    await database.run("SET TimeZone = 'UTC'")
    return (await database.runAndReadAll(sql)).getRowObjectsJS()
  }

  test('agrees with TypeScript to the pico-dollar, in price id and in what is unpriced', async () => {
    const queries = fc.sample(query, { numRuns: 200, seed: 7 })
    const calls = fc.sample(callOf(queries), { numRuns: 2000, seed: 20 }) as Call[]
    const rows = await priceInSql(calls)
    assert.equal(rows.length, calls.length, 'each event joins exactly one row')
    let priced = 0
    calls.forEach((c, index) => {
      const ours = priceUsage(book, { ...c.query, tokens: c.tokens, timeMs: c.timeMs })
      const theirs = rows[index]
      const context = JSON.stringify(c)
      assert.equal(theirs?.['cost'] ?? null, ours.costPico, context)
      assert.equal(theirs?.['id'] ?? null, ours.priceId, context)
      assert.equal(theirs?.['unpriced'] ?? null, ours.unpriced, context)
      if (ours.costPico !== null) priced += 1
    })
    assert.ok(priced > 500, `${priced} priced`)
    assert.ok(priced < 1800, `${priced} priced`)
  })
})
