import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { openSettling, type Settling } from '../scratch-settling.ts'

/** Worlds share a lake, a tenant each, so that one run tries many of them. */
const WORLDS = 60
const SEED = 20_260_301
const HOURS = ['2026-03-01T09:59:59Z', '2026-03-01T10:00:00Z']

const maybe = (values: readonly string[]): fc.Arbitrary<string | null> =>
  fc.constantFrom(null, ...values)

/** Records whose ids are few, so that they agree, contradict and chain in every way. */
const record = fc.record({
  source: fc.constantFrom('gateway', 'sdk', 'agent'),
  time: fc.constantFrom(...HOURS),
  duration_ms: fc.constantFrom(0, 500, 90_000),
  response_id: maybe(['resp_a1', 'resp_b2', 'resp_c3']),
  request_id: maybe(['req_1', 'req_2']),
  trace_id: fc.constant('trace'),
  span_id: maybe(['s1', 's2', 's3', 's4']),
  parent_span_id: maybe(['s1', 's2', 's3']),
  links: fc.option(fc.uniqueArray(fc.constantFrom('s1', 's4'), { minLength: 1 }), { nil: null }),
  response_model: maybe(['gpt-4o', 'claude']),
  tokens: fc.record({
    in_total: fc.constantFrom(null, 100, 200),
    out_total: fc.constantFrom(null, 7, 9)
  })
})

const COLUMNS = `* EXCLUDE (topic, "partition", "offset", append_time, generation)`
const SEEN = {
  events: COLUMNS,
  disagreements: '*',
  witnesses: 'tenant, id, call_source, call_id',
  windows: 'tenant, window_start, n, in_total'
}

/** Everything that users see of calls, and nothing of how they came, by world. */
const outcome = async (lake: Settling): Promise<Map<string, string[]>> => {
  const worlds = new Map<string, string[]>()
  for (const [table, columns] of Object.entries(SEEN)) {
    for (const row of await lake.rows(`SELECT ${columns} FROM ${table} ORDER BY ALL`)) {
      const { filename: _, ...shown } = row
      const tenant = String(row['tenant'])
      worlds.set(tenant, [...(worlds.get(tenant) ?? []), `${table} ${JSON.stringify(shown)}`])
    }
  }
  return worlds
}

const worlds = fc.array(fc.array(record, { minLength: 2, maxLength: 7 }), {
  minLength: WORLDS,
  maxLength: WORLDS
})

/** The records of all worlds, with the number that decides in which piece each one lands. */
const traffic = fc.tuple(worlds, fc.infiniteStream(fc.nat(1))).map(([all, pieces]) =>
  all.flatMap((records, world) =>
    records.map((one, at) => ({
      piece: pieces.next().value,
      event: { ...one, id: `${at}`, kind: 'llm', tenant: `world-${world}` }
    }))
  )
)

type Traffic = typeof traffic extends fc.Arbitrary<infer Value> ? Value : never

const landed = async (t: TestContext, pieces: readonly Traffic[]): Promise<Settling> => {
  const lake = await openSettling(t)
  for (const piece of pieces) {
    await lake.land(piece.map(({ event }) => event))
    await lake.settle()
  }
  return lake
}

const assertSame = async (lake: Settling, wanted: Settling, records: Traffic): Promise<void> => {
  const [seen, expected] = [await outcome(lake), await outcome(wanted)]
  for (const [tenant, rows] of expected) {
    const sent = records.filter(({ event }) => event.tenant === tenant)
    assert.deepEqual(seen.get(tenant), rows, JSON.stringify(sent))
  }
}

describe('what is one call', () => {
  const [records = []] = fc.sample(traffic, { seed: SEED, numRuns: 1 })

  test('depends neither on order nor on hour nor on how often it was settled', async (t) => {
    const atOnce = await landed(t, [records])
    const pieces = [0, 1].map((piece) => records.filter((one) => one.piece === piece))
    const inPieces = await landed(
      t,
      pieces.map((piece) => piece.toReversed())
    )
    await assertSame(inPieces, atOnce, records)
    assert.deepEqual(await inPieces.settle(), [], 'nothing is left to settle')

    // Every record is sent again: what was settled is settled once more, from what it kept.
    await inPieces.land(records.map(({ event }) => event))
    assert.equal((await inPieces.settle()).length, HOURS.length)
    await assertSame(inPieces, atOnce, records)

    const [sums] = await inPieces.rows(`SELECT sum(coalesce(witnesses, 1))::INTEGER AS records,
      (SELECT sum(n)::INTEGER FROM windows) AS counted, count(*) AS events FROM events`)
    assert.equal(sums?.['records'], records.length, 'each record is part of one row')
    assert.equal(sums?.['counted'], sums?.['events'])
    assert.ok(Number(sums?.['events']) < records.length * 0.8, 'many were merged')
  })
})
