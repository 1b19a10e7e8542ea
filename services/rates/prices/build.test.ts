import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Failure } from '../../../schemas/failure.ts'
import { BookRow } from './book-row.ts'
import { loadBook, parseBook, SHIPPED_BOOK } from './book.ts'
import { buildBook } from './build/build.ts'
import { matches, names, type MatchRule } from './build/genai-match.ts'
import { diffBooks } from './diff.ts'
import { explainModel } from './explain.ts'

const book = await loadBook()
const NOW = Date.parse('2026-11-20T12:00:00Z')

describe('building the book', () => {
  test('every shipped row satisfies the schema, in order, with its sources named', () => {
    const [, ...lines] = readFileSync(SHIPPED_BOOK, 'utf8').trimEnd().split('\n')
    for (const line of lines) BookRow.parse(JSON.parse(line))
    const known = new Set(book.header.sources.map(({ id }) => id))
    for (const row of book.rows) {
      assert.ok(row.sources.length > 0)
      for (const source of row.sources) assert.ok(known.has(source.split(' ')[0] ?? ''), source)
    }
  })

  test('a prefix that goes on with more than a date is another model', () => {
    const rule: MatchRule = { type: 'ClauseStartsWith', starts_with: 'gemini-3.8-flash' }
    assert.ok(matches(rule, 'gemini-3.8-flash-cyber'))
    assert.ok(!names(rule, 'gemini-3.8-flash-cyber'))
    assert.ok(names(rule, 'gemini-3.8-flash-2026-10-01'))
    const notSpeech: MatchRule = { type: 'ClauseRegex', regex: '^(?!.*-tts$)' }
    assert.ok(!names({ type: 'ClauseAnd', and_: [rule, notSpeech] }, 'gemini-3.8-flash-cyber'))
  })

  test('says where sources disagree, and what changes between two books', () => {
    const query = {
      provider: 'anthropic',
      request_model: null,
      response_model: 'claude-sonnet-5',
      service_tier: null,
      region: null,
      batch: null,
      provider_account: null
    }
    const [row] = explainModel(book, query, NOW).rows
    assert.equal(row?.disagreements[0]?.what, 'standard.in')
    const text = readFileSync(SHIPPED_BOOK, 'utf8')
    const changed = parseBook(
      text.replace(
        '"in":4000000,"out":20000000,"read":400000',
        '"in":4000001,"out":20000000,"read":400000'
      )
    )
    const [difference] = diffBooks(book, changed)
    assert.equal(difference?.what, 'changed')
    assert.deepEqual(
      difference?.prices.map(({ before, after }) => [before, after]),
      [[4_000_000, 4_000_001]]
    )
    assert.deepEqual(diffBooks(book, book), [])
    assert.throws(() => parseBook('{}'), Failure)
  })

  const data = new URL('../../../../shared/data/', import.meta.url)
  const skip = existsSync(data) ? false : 'the source tables are not here'
  test('from the same tables gives the shipped book, byte for byte', { skip }, () => {
    const read = (path: string) => readFileSync(new URL(path, data))
    const built = buildBook({
      litellm: { text: read('pricing/litellm_model_prices.json').toString(), version: '1.109.1' },
      genai: {
        text: read('pricing/genai_prices.json').toString(),
        version: '0.2.3',
        date: '2026-11-12'
      },
      history: gunzipSync(read('price-history/litellm.price-snapshots.jsonl.gz')).toString(),
      witness: read('price-history/llm-prices.history.csv').toString()
    })
    assert.equal(built === readFileSync(SHIPPED_BOOK, 'utf8'), true)
  })
})
