import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SettledHour } from '../../../services/lake/settled-hours.ts'
import { openSettling, type Settling } from '../scratch-settling.ts'
import {
  FRAMEWORK,
  GATEWAY,
  RESPONSE,
  SDK,
  above,
  at,
  below,
  call,
  tokens
} from './fixtures/witnesses.ts'

/** Scenarios share one lake, a tenant each: it is landed and settled once. */
const scenarios = new Map<string, readonly object[]>()
const ends: (() => unknown)[] = []
let lake: Settling

const of = (tenant: string, events: readonly object[]): object[] =>
  events.map((event) => ({ tenant, ...event }))

before(async () => {
  lake = await openSettling({ after: (end) => void ends.push(end as () => unknown) })
  await lake.land([...scenarios].flatMap(([tenant, events]) => of(tenant, events)))
  await lake.settle()
})
after(() => Promise.all(ends.map((end) => end())))

/** Rows of a tenant, as lists of values in their order. */
const rows = async (tenant: string, table: string, columns: string): Promise<unknown[][]> => {
  const sql = `SELECT ${columns} FROM ${table} WHERE tenant = '${tenant}' ORDER BY ALL`
  return (await lake.rows(sql)).map((row) => Object.values(row))
}

/** A test that events of one tenant, settled, give these rows. */
const settles = (
  title: string,
  events: readonly object[],
  expected: readonly { table?: string; columns: string; rows: unknown[][] }[]
): void => {
  const tenant = `tenant-${scenarios.size}`
  scenarios.set(tenant, events)
  test(title, async () => {
    for (const { table = 'events', columns, rows: wanted } of expected) {
      assert.deepEqual(await rows(tenant, table, columns), wanted)
    }
  })
}

const NOT_MERGED = { table: 'disagreements', columns: 'id, kind, field, kept_value' }

describe('one call seen by three emitters', () => {
  settles(
    'counts once, each field from the witness who knows it best',
    [FRAMEWORK, SDK, GATEWAY],
    [
      {
        columns: 'id, source, witnesses, provider, in_total, in_cache_read, out_total',
        rows: [['g1', 'litellm', 3, 'anthropic', 900, 800, 40]]
      },
      {
        columns: 'user, trace_id, span_id, links, duration_ms, cost_reported_usd, stop_reason',
        rows: [['ada', 't1', 'framework', ['sdk'], 700, '0.0012', null]]
      },
      { table: 'windows', columns: 'n, in_total', rows: [[1, 900]] }
    ]
  )

  settles(
    'keeps what each of them said, and says where they differ',
    [SDK, { ...GATEWAY, cost_reported_usd: '0.00120' }, FRAMEWORK],
    [
      {
        table: 'disagreements',
        columns: 'kind, field, kept_value, other_value, other_id',
        rows: [
          ['value', 'provider', 'anthropic', 'openai', 's1'],
          ['value', 'response_model', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5', 's1']
        ]
      },
      {
        table: 'witnesses',
        columns: 'id, call_id, in_cache_read',
        rows: [
          ['f1', 'g1', null],
          ['g1', 'g1', 800],
          ['s1', 'g1', null]
        ]
      }
    ]
  )
})

describe('calls that only look alike stay apart', () => {
  const { response_id: _, ...anonymous } = GATEWAY
  settles(
    'same time, model and counts are no evidence',
    [anonymous, { ...anonymous, id: 'g2' }, { ...anonymous, id: 'x', source: 'sdk' }],
    [
      {
        columns: 'id, witnesses',
        rows: [
          ['g1', null],
          ['g2', null],
          ['x', null]
        ]
      }
    ]
  )

  settles(
    'an id of another tenant is another id: mine',
    [GATEWAY],
    [{ columns: 'id', rows: [['g1']] }]
  )
  settles(
    'an id of another tenant is another id: theirs',
    [SDK],
    [{ columns: 'id', rows: [['s1']] }]
  )

  const constant = { ...call, source: 'vllm', response_id: 'chatcmpl-0' }
  settles(
    'a response id that a server gives every call proves nothing, and that is said',
    [
      { ...constant, id: '1', tokens: { in_total: 10, out_total: 5 } },
      { ...constant, id: '2', tokens: { in_total: 12, out_total: 5 } },
      { ...constant, id: '3', time: at(30), source: 'sdk', tokens: { in_total: 10 } }
    ],
    [
      { columns: 'id', rows: [['1'], ['2'], ['3']] },
      {
        ...NOT_MERGED,
        rows: ['1', '2', '3'].map((id) => [id, 'not_merged', 'response_id', 'chatcmpl-0'])
      }
    ]
  )

  const tried = { ...call, source: 'gateway', request_id: 'req_1' }
  settles(
    'a request id over two attempts of a gateway joins neither with the other',
    [
      { ...tried, id: '1', status: 529 },
      { ...tried, id: '2', status: 200, response_id: RESPONSE },
      // The SDK still finds its attempt by the response.
      { ...SDK, id: '3', request_id: 'req_1' }
    ],
    [
      {
        columns: 'id, witnesses',
        rows: [
          ['1', 1],
          ['2', 2]
        ]
      }
    ]
  )

  settles(
    'records that a chain of ids joins are two calls when they hold two responses',
    [
      { ...call, id: '1', source: 'a', request_id: 'req_2', response_id: 'resp_one' },
      { ...call, id: '2', source: 'b', request_id: 'req_2', trace_id: 't', span_id: 'same' },
      { ...call, id: '3', source: 'c', trace_id: 't', span_id: 'same', response_id: 'resp_two' }
    ],
    [{ columns: 'id', rows: [['1'], ['2'], ['3']] }]
  )

  settles(
    'a reply out of a cache is no account of the call that filled it',
    [
      GATEWAY,
      { ...GATEWAY, id: 'hit', tokens: {}, usage_convention: 'litellm/response-cache not billed' }
    ],
    [{ columns: 'id', rows: [['g1'], ['hit']] }]
  )
})

describe('a call above other calls', () => {
  settles(
    'is that call when there is one',
    [below('b', 1, { tokens }), { ...above, tokens }],
    [{ columns: 'id, witnesses, in_total', rows: [['b', 2, 900]] }]
  )

  settles(
    'is the operation of its attempts when there are several, and adds nothing',
    [
      below('b2', 4, { status: 200, tokens }),
      { ...above, tokens },
      below('b1', 1, { status: 529 })
    ],
    [
      {
        columns: 'id, kind, operation_id, attempt, in_total, usage_convention',
        rows: [
          ['a', 'agent', 'top', null, null, 'aggregate'],
          ['b1', 'llm', 'top', 1, null, null],
          ['b2', 'llm', 'top', 2, 900, null]
        ]
      }
    ]
  )

  settles(
    'is one of its attempts when it tells the same response',
    [
      { ...above, tokens, response_id: RESPONSE },
      below('b1', 1, { status: 529 }),
      below('b2', 4, { status: 200, tokens, response_id: RESPONSE })
    ],
    [
      {
        columns: 'id, kind, operation_id, attempt, in_total',
        rows: [
          ['b1', 'llm', 'top', 1, null],
          ['b2', 'llm', 'top', 2, 900]
        ]
      }
    ]
  )

  settles(
    'keeps usage that the calls below it do not account for',
    [
      { ...above, tokens },
      below('b1', 1, {}),
      below('b2', 2, { tokens: { in_total: 30, out_total: 1 } })
    ],
    [
      {
        columns: 'id, kind, in_total',
        rows: [
          ['a', 'llm', 900],
          ['b1', 'llm', null],
          ['b2', 'llm', 30]
        ]
      }
    ]
  )

  settles(
    'stays apart from one below it that counted something else, and that is said',
    [{ ...above, tokens }, below('b', 1, { tokens: { in_total: 30, out_total: 1 } })],
    [
      {
        columns: 'id, in_total',
        rows: [
          ['a', 900],
          ['b', 30]
        ]
      },
      { ...NOT_MERGED, rows: [['b', 'not_merged', 'parent_span_id', null]] }
    ]
  )
})

describe('witnesses that land apart', () => {
  const hours = { late: '2026-03-21T23', moved: '2026-02-01T13', long: '2026-04-06T00' }
  let settled: SettledHour[]

  before(async () => {
    await lake.land([
      ...of('late', [SDK]),
      ...of('moved', [{ ...SDK, time: '2026-02-01T10:00:00Z' }]),
      ...of('long', [SDK])
    ])
    await lake.settle()
    await lake.land(
      Object.entries(hours).flatMap(([tenant, hour]) =>
        of(tenant, [{ ...GATEWAY, time: `${hour}:00:00Z` }])
      )
    )
    settled = await lake.settle()
  })

  test('settle the hours that they touch again, and then nothing is left to do', async () => {
    assert.deepEqual(
      settled.map(({ startMs }) => new Date(startMs).toISOString().slice(0, 13)).toSorted(),
      ['2026-02-01T10', hours.moved, '2026-03-01T10', hours.late, hours.long]
    )
    assert.deepEqual(await lake.settle(), [])
    assert.deepEqual(await rows('late', 'events', 'id, witnesses'), [['g1', 2]])
    assert.deepEqual(await rows('late', 'windows', 'n'), [[1]])
  })

  test('may leave an hour without any event', async () => {
    const [left] = settled.filter(({ startMs }) => startMs === Date.parse('2026-02-01T10:00:00Z'))
    assert.deepEqual([left?.events, left?.merged], [0, 1])
    assert.deepEqual(await rows('moved', 'events', 'id, witnesses'), [['g1', 2]])
  })

  test('are two calls when their id came again after 34 days', async () => {
    assert.deepEqual(await rows('long', 'events', 'id'), [['g1'], ['s1']])
  })
})
