import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { openGrain } from '../../../jobs/detect/slice.ts'
import { openMemory, type MemoryDatabase } from '../../lake/memory.ts'
import type { Columns } from '../define.ts'
import { clearConversations, createConversations, isNew } from './conversations.ts'
import { addCalls, clearGroups, createGroups, G, inOrder, startOf, type Groups } from './groups.ts'
import signal from './signal.ts'

/** A minute's groups are what one statement over all of its calls would count. */

const START_MS = Date.parse('2026-03-02T10:00:00Z')
const MINUTE_MS = 60_000
const SECOND_MS = 1_000
const CALLS = 4_000

const TYPES = {
  id: 'VARCHAR',
  time: 'TIMESTAMPTZ',
  kind: 'VARCHAR',
  provider: 'VARCHAR',
  request_model: 'VARCHAR',
  response_model: 'VARCHAR',
  local_tokenizer: 'VARCHAR',
  script: 'VARCHAR',
  conversation_id: 'VARCHAR',
  trace_id: 'VARCHAR',
  status: 'INTEGER',
  cost_pico: 'HUGEINT',
  local_in: 'BIGINT',
  in_total: 'BIGINT',
  local_out: 'BIGINT',
  out_total: 'BIGINT',
  context_limit: 'BIGINT',
  tools_hash: 'VARCHAR',
  stop_class: 'VARCHAR',
  in_image: 'BIGINT',
  in_audio: 'BIGINT',
  in_video: 'BIGINT',
  in_tool_use: 'BIGINT',
  in_cached_image: 'BIGINT',
  in_cached_audio: 'BIGINT',
  out_reasoning: 'BIGINT',
  out_audio: 'BIGINT',
  out_image: 'BIGINT'
} as const
type Event = Record<keyof typeof TYPES, string | number | null>

/** Calls of a minute with anything missing, some at one instant, some sent twice. */
const drawEvents = (seed: number): Event[] => {
  const random = createRandom(seed)
  const isSo = (share: number): boolean => random.uniform() < share
  const oneOf = <Value>(...values: readonly Value[]): Value =>
    values[Math.floor(random.uniform() * values.length)]!
  const name = (letter: string, count: number): string =>
    `${letter}${Math.floor(random.uniform() * count)}`
  const seldom = (): number | null => (isSo(0.04) ? 3 : oneOf(null, 0))
  return Array.from({ length: CALLS }, (_, n): Event => {
    const [localIn, localOut] = [8, 7].map((size) => Math.floor(Math.exp(size * random.uniform())))
    const reported = (local: number): number => Math.round(local * Math.exp(0.1 * random.normal()))
    const at = START_MS + Math.floor((random.uniform() * MINUTE_MS) / 50) * 50
    return {
      id: isSo(0.02) ? 'twice' : `id${n}`,
      time: new Date(at).toISOString(),
      kind: oneOf('llm', 'llm', 'llm', 'embedding', 'tool'),
      provider: oneOf('a', 'b', null),
      request_model: oneOf('m', 'n', null),
      response_model: oneOf('m-1', null),
      local_tokenizer: oneOf('t', 't', null),
      script: oneOf('Latn', 'Hang', null),
      conversation_id: isSo(0.6) ? name('c', 300) : null,
      trace_id: isSo(0.6) ? name('t', 900) : null,
      status: oneOf(null, 200, 200, 429),
      cost_pico: isSo(0.8) ? Math.floor(1e10 * random.uniform()) : null,
      local_in: isSo(0.9) ? localIn! : oneOf(null, 0),
      in_total: isSo(0.9) ? reported(localIn!) : oneOf(null, 0),
      local_out: isSo(0.9) ? localOut! : oneOf(null, 0),
      out_total: isSo(0.9) ? reported(localOut!) : oneOf(null, 0),
      context_limit: oneOf(null, 0, 1_000, 8_000),
      tools_hash: isSo(0.05) ? 'h' : null,
      stop_class: oneOf(null, 'end', 'end', 'tool', 'cancelled', 'error'),
      in_image: seldom(),
      in_audio: seldom(),
      in_video: seldom(),
      in_tool_use: seldom(),
      in_cached_image: seldom(),
      in_cached_audio: seldom(),
      out_reasoning: seldom(),
      out_audio: seldom(),
      out_image: seldom()
    }
  })
}

const literal = (value: string | number | null): string =>
  typeof value === 'string' ? `'${value}'` : String(value)

const openEvents = async (t: TestContext, events: readonly Event[]): Promise<MemoryDatabase> => {
  const database = await openMemory()
  t.after(() => database.close())
  const names = Object.keys(TYPES) as (keyof Event)[]
  await database.run(
    `CREATE TABLE events (${names.map((name) => `${name} ${TYPES[name]}`).join(', ')})`
  )
  const rows = events.map((event) => `(${names.map((name) => literal(event[name])).join(', ')})`)
  await database.run(`INSERT INTO events VALUES ${rows.join(', ')}`)
  return database
}

/** Reads a part of the minute as detection does. */
const openCalls = async (
  database: MemoryDatabase
): Promise<(fromMs: number, toMs: number) => Promise<Columns>> => {
  const sql = await readFile(new URL('traces.sql', import.meta.url), 'utf8')
  const input = signal.inputs.traces!
  const query = { name: 'traces.sql', grain: 'traces', sql, input } as const
  const reader = await openGrain(database, { windows: '', events: 'events' }, query)
  return async (fromMs, toMs) => (await reader!.read(fromMs, toMs)).columns
}

/** All groups of a minute in one statement. */
const GROUPS = `WITH llm AS (
  SELECT
    coalesce(response_model, request_model) AS model,
    local_tokenizer AS tokenizer,
    coalesce(conversation_id, trace_id, id) AS conversation,
    cost_pico::DOUBLE / nullif(coalesce(in_total, 0) + coalesce(out_total, 0), 0) AS token_pico,
    *
  FROM events
  WHERE kind IN ('llm', 'embedding') AND coalesce(status, 200) < 400
),
sides AS (
  SELECT *, 'in' AS side, local_in::DOUBLE AS l, in_total::DOUBLE AS r
  FROM llm
  WHERE local_in >= 20 AND in_total > 0 AND tools_hash IS NULL
    AND coalesce(in_image, 0) + coalesce(in_audio, 0) + coalesce(in_video, 0)
      + coalesce(in_tool_use, 0) + coalesce(in_cached_image, 0) + coalesce(in_cached_audio, 0) = 0
  UNION ALL
  SELECT *, 'out' AS side, local_out::DOUBLE, out_total::DOUBLE
  FROM llm
  WHERE local_out >= 20 AND out_total > 0 AND coalesce(out_reasoning, 0) = 0
    AND coalesce(out_audio, 0) + coalesce(out_image, 0) = 0
    AND coalesce(stop_class, '') NOT IN ('tool', 'cancelled', 'error')
  UNION ALL
  SELECT *, 'limit' AS side, local_in::DOUBLE, context_limit::DOUBLE
  FROM llm
  WHERE local_in > 0 AND context_limit > 0 AND context_limit < 8 * local_in
),
voting AS (
  SELECT *, row_number() OVER (
    PARTITION BY provider, model, tokenizer, script, side, conversation ORDER BY time, id
  ) = 1 AS is_first
  FROM sides
)
SELECT
  provider, model, tokenizer, script, side,
  greatest(-96, least(96, round(asinh(ln(r / l) / 0.02) * 16)))::DOUBLE AS bin,
  count(*)::DOUBLE AS n,
  count(*) FILTER (is_first)::DOUBLE AS clusters,
  sum(l) AS l, sum(r) AS r, sum(l * l) AS ll, sum(r * r) AS rr, sum(l * r) AS lr,
  coalesce(sum(token_pico * (r - l)), 0) AS extra,
  coalesce(sum(abs(token_pico * (r - l))), 0) AS extra_size
FROM voting
GROUP BY provider, model, tokenizer, script, side, bin
ORDER BY provider, model, tokenizer, script, side, bin`

const WORDS = ['provider', 'model', 'tokenizer', 'script', 'side'] as const
const EXACT = ['bin', 'n', 'clusters', 'l', 'r', 'll', 'rr', 'lr'] as const
/** Asked of calls near their limit. */
const EXACT_LIMIT = ['bin', 'n'] as const
/** Sums of fractions in another order differ by rounding alone. */
const ROUNDING = 1e-12

const flat = (groups: Groups) =>
  inOrder(groups).flatMap(({ name, numbers }) => numbers.map((group) => ({ name, group })))

const assertGroups = async (groups: Groups, database: MemoryDatabase): Promise<void> => {
  const { rows, numbers, texts } = await database.whole(GROUPS)
  const { doubles } = groups.records
  const found = flat(groups)
  assert.equal(found.length, rows)
  for (const [row, { name, group }] of found.entries()) {
    const what = `${JSON.stringify(name)}, row ${row}`
    for (const word of WORDS) assert.equal(name[word], texts[word]!.at(row) ?? null, what)
    for (const column of name.side === 'limit' ? EXACT_LIMIT : EXACT)
      assert.equal(
        doubles[startOf(group) + G[column]]! + 0,
        numbers[column]![row]! + 0,
        `${column} of ${what}`
      )
    if (name.side === 'limit') continue
    const off = Math.abs(doubles[startOf(group) + G.extra]! - numbers['extra']![row]!)
    assert.ok(off <= ROUNDING * numbers['extra_size']![row]!, `extra of ${what}`)
  }
}

test('calls add up to the groups that one statement over the minute gives, minute after minute', async (t) => {
  const groups = createGroups()
  for (let seed = 1; seed <= 4; seed++) {
    const database = await openEvents(t, drawEvents(seed))
    const read = await openCalls(database)
    addCalls(groups, await read(START_MS, START_MS + MINUTE_MS))
    const found = flat(groups)
    for (const side of ['in', 'out', 'limit'])
      assert.ok(found.filter(({ name }) => name.side === side).length > 50, side)
    await assertGroups(groups, database)
    clearGroups(groups)
    assert.deepEqual(flat(groups), [])
  }
})

/** Every number of every group, to the last bit. */
const bitsOf = (groups: Groups) =>
  flat(groups).map(({ name, group }) => ({
    name,
    numbers: groups.records.doubles.slice(startOf(group) + G.bin, startOf(group + 1))
  }))

test('a minute cut at any second gives the same bits', async (t) => {
  const database = await openEvents(t, drawEvents(5))
  const read = await openCalls(database)
  const endMs = START_MS + MINUTE_MS
  const whole = createGroups()
  addCalls(whole, await read(START_MS, endMs))
  const parts = createGroups()
  for (let cutMs = START_MS + SECOND_MS; cutMs < endMs; cutMs += SECOND_MS) {
    addCalls(parts, await read(START_MS, cutMs))
    addCalls(parts, await read(cutMs, endMs))
    assert.deepEqual(bitsOf(parts), bitsOf(whole), `cut after ${cutMs - START_MS} ms`)
    clearGroups(parts)
  }
  for (let fromMs = START_MS; fromMs < endMs; fromMs += SECOND_MS)
    addCalls(parts, await read(fromMs, fromMs + SECOND_MS))
  assert.deepEqual(bitsOf(parts), bitsOf(whole), 'cut at every second')
})

test('of more groups than there is room for those that came first are whole', async (t) => {
  const database = await openEvents(t, drawEvents(7))
  const read = await openCalls(database)
  const [all, few] = [createGroups(), createGroups(100)]
  addCalls(all, await read(START_MS, START_MS + MINUTE_MS))
  for (let fromMs = START_MS; fromMs < START_MS + MINUTE_MS; fromMs += SECOND_MS)
    addCalls(few, await read(fromMs, fromMs + SECOND_MS))
  const first = bitsOf(all).filter((_, index) => flat(all)[index]!.group < 100)
  assert.equal(first.length, 100)
  assert.deepEqual(bitsOf(few), first)
})

test('conversations are new once a minute, and what comes beyond the bound is not counted', () => {
  const random = createRandom(6)
  const identities = Array.from({ length: 5_000 }, () => Math.floor(2 ** 53 * random.uniform()))
  const max = 3_000
  const conversations = createConversations(max)
  for (let minute = 0; minute < 3; minute++) {
    const counted = identities.filter((identity) => isNew(conversations, identity))
    assert.deepEqual(counted, identities.slice(0, max))
    assert.deepEqual(
      identities.filter((identity) => isNew(conversations, identity)),
      []
    )
    clearConversations(conversations)
  }
})

test('a table that a rush made long is kept while minutes are busy, and given back', () => {
  const conversations = createConversations()
  const play = (count: number): number => {
    clearConversations(conversations)
    for (let n = 0; n < count; n++) assert.ok(isNew(conversations, n))
    return conversations.table.length
  }
  const rush = play(100_000)
  const { table } = conversations
  assert.ok(rush > 100_000)
  assert.equal(play(60_000), rush)
  assert.equal(conversations.table, table)
  play(10)
  assert.ok(play(10) < rush)
})
