import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSettling } from '../scratch-settling.ts'
import { at } from './fixtures/witnesses.ts'

const tool = { kind: 'tool', time: at(7), name: 'search', trace_id: 't7', tenant: 'acme' }

test('a step of a tool seen twice counts once, and a tool that a tool calls is another', async (t) => {
  const lake = await openSettling(t)
  await lake.land([
    // By the id that the model gave its call, and by a span that came twice.
    { ...tool, id: 'c', source: 'claude-code', request_id: 'toolu_1', args_hash: 'x' },
    { ...tool, id: 'o', source: 'checkout', request_id: 'toolu_1', span_id: 's', duration_ms: 9 },
    { ...tool, id: 'o2', source: 'mirror', span_id: 's', duration_ms: 11 },
    // The same arguments again, by another id.
    { ...tool, id: 'n', source: 'claude-code', request_id: 'toolu_2', args_hash: 'x' },
    { ...tool, id: 'below', source: 'mcp', span_id: 'b', parent_span_id: 's' }
  ])
  const [hour] = await lake.settle()
  assert.deepEqual([hour?.events, hour?.merged], [3, 2])
  const rows = async (sql: string) => (await lake.rows(sql)).map((row) => Object.values(row))
  assert.deepEqual(
    await rows('SELECT args_hash, witnesses FROM events ORDER BY witnesses, args_hash'),
    [
      ['x', 3],
      ['x', null],
      [null, null]
    ]
  )
  assert.deepEqual(await rows('SELECT sum(n)::INTEGER FROM windows'), [[3]])
  // What its witnesses tell otherwise is counted, and can be asked for.
  const told = await rows('SELECT field, other_value FROM disagreements')
  assert.equal(hour?.disagreements, told.length)
})
