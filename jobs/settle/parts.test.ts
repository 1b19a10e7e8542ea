import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { PartMax } from './parts.ts'
import { openSettling } from './scratch-settling.ts'

const START_MS = Date.parse('2026-03-01T10:00:00Z')

/** Calls of three tenants in one hour; some share a moment, one tenant has most of them. */
const CALLS = Array.from({ length: 60 }, (_, index) => ({
  id: `call-${index}`,
  source: 'gateway',
  time: new Date(START_MS + Math.floor(((index * 37) % 60) / 2) * 90_000).toISOString(),
  tenant: ['acme', "o'neill", 'zeta'][index % 10 === 0 ? 0 : index % 7 === 0 ? 2 : 1],
  kind: 'llm',
  provider: 'vllm',
  response_model: 'llama-3.1-8b',
  duration_ms: 1000 + index,
  tokens: { in_uncached: 100 + index, in_cache_read: 10, out_text: 50 },
  prefix: { blocks: [`prefix-${index % 3}`], block_tokens: 16 }
}))

const settled = async (t: TestContext, partMax?: PartMax) => {
  const lake = await openSettling(t, partMax === undefined ? {} : { partMax })
  await lake.land(CALLS)
  const [hour] = await lake.settle()
  const rowsOf = (table: string) => lake.rows(`SELECT * EXCLUDE (filename) FROM ${table}`)
  const [counts] = await lake.rows(
    `SELECT (SELECT count(DISTINCT filename) FROM events_settled) AS events,
      (SELECT count(DISTINCT filename) FROM windows_settled) AS windows`
  )
  return {
    hour,
    files: counts,
    events: await rowsOf('events_settled'),
    windows: await rowsOf('windows_settled'),
    prefixes: await rowsOf('prefixes_settled')
  }
}

test('an hour that is settled in parts has the same rows, in the same order', async (t) => {
  const whole = await settled(t)
  const parts = await settled(t, { events: 8, bytes: 1 << 20 })
  assert.deepEqual(whole.files, { events: 1, windows: 1 })
  assert.ok(Number(parts.files?.['events']) >= 5 && Number(parts.files?.['windows']) >= 5)
  assert.equal(whole.events.length, CALLS.length)
  assert.deepEqual(parts.events, whole.events)
  assert.deepEqual(parts.windows, whole.windows)
  assert.deepEqual(parts.prefixes, whole.prefixes)
  assert.deepEqual(parts.hour, whole.hour)
})

test('large events make parts of fewer of them', async (t) => {
  const lake = await openSettling(t, { partMax: { events: 60, bytes: 6000 } })
  const documents = Array.from({ length: 10 }, (_, index) => `document-${index}`.padEnd(120, '.'))
  await lake.land(
    CALLS.map((call, index) => (index % 3 === 0 ? { ...call, document_ids: documents } : call))
  )
  await lake.settle()
  const files = await lake.rows(`SELECT count(*)::INTEGER AS events,
    count(document_ids)::INTEGER AS large FROM events_settled GROUP BY filename`)
  assert.equal(
    files.reduce((sum, { events }) => sum + Number(events), 0),
    CALLS.length
  )
  // Of 1,200 bytes in long columns, five fill a part; of two in one moment, both are in it.
  assert.ok(files.length >= 4, `${files.length} parts`)
  for (const { large } of files) assert.ok(Number(large) <= 6, `${String(large)} in one part`)
})

test('files of an hour in parts all go when it is settled again', async (t) => {
  const lake = await openSettling(t, { partMax: { events: 8, bytes: 1 << 20 } })
  await lake.land(CALLS)
  await lake.settle()
  await lake.land([{ ...CALLS[0]!, id: 'late' }])
  await lake.settle()
  const [seen] = await lake.rows(`SELECT (SELECT count(*) FROM events_settled) AS events,
    (SELECT count(DISTINCT id) FROM events_settled) AS ids, (SELECT sum(n)::BIGINT FROM windows) AS calls`)
  const calls = CALLS.length + 1
  assert.deepEqual(seen, { events: calls, ids: calls, calls })
})
