import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_TABLE_COLUMNS } from '../../../schemas/tables.ts'
import { unlocksOf } from './app/unlocks.ts'

const bare = { id: 'a', time: '2026-03-02T09:00:00Z', tenant: 'acme', kind: 'llm' }

test('a bare call is told which fields would tell more, and one that has them is not', () => {
  const fields = unlocksOf(bare).map(({ field }) => field)
  assert.ok(fields.includes('prefix.blocks') && fields.includes('local'), fields.join())
  const full = Object.fromEntries(EVENT_TABLE_COLUMNS.map(({ name }) => [name, 1]))
  assert.deepEqual(unlocksOf({ ...full, ...bare }), [])
})

test('a tool is not asked for tokens', () => {
  const fields = unlocksOf({ ...bare, kind: 'tool' }).map(({ field }) => field)
  assert.ok(!fields.includes('tokens') && fields.includes('trace_id, span_id'), fields.join())
})
