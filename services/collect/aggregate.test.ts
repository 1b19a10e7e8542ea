import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TOKEN_FIELDS } from '../../schemas/tokens.ts'
import type { UsageEvent } from '../../schemas/event.ts'
import { eventRow } from './event-record.ts'

const step = (more: Partial<UsageEvent>): UsageEvent => ({
  id: 'a',
  time: '2026-11-24T10:00:00Z',
  tenant: 'acme',
  kind: 'agent',
  ...more
})
const tokens = { in_total: 900, out_total: 40 }

for (const [told, more] of Object.entries({
  buckets: { tokens },
  'a block': { usage: { input_tokens: 900, output_tokens: 40 } },
  'a cost': { cost_reported_usd: '0.5' },
  everything: { tokens, usage: { input_tokens: 900 }, cost_reported_usd: '0.5' }
} satisfies Record<string, Partial<UsageEvent>>)) {
  test(`an agent that tells ${told} of its children adds nothing, and keeps what it told`, () => {
    const row = eventRow(step(more))
    for (const name of [...TOKEN_FIELDS, 'cost_reported_usd']) assert.equal(row[name], null, name)
    assert.deepEqual(JSON.parse(String(row['usage'])), {
      ...('usage' in more ? more.usage : 'tokens' in more ? more.tokens : {}),
      ...('cost_reported_usd' in more ? { cost_reported_usd: '0.5' } : {})
    })
    assert.deepEqual(
      [row['usage_convention'], row['usage_warnings']],
      ['aggregate', ['agent_aggregate_not_counted']]
    )
  })
}

test('an agent that tells nothing is no aggregate, and a call keeps its counts', () => {
  const silent = eventRow(step({}))
  assert.deepEqual([silent['usage'], silent['usage_convention']], [null, null])
  const called = eventRow(step({ kind: 'llm', tokens, cost_reported_usd: '0.5' }))
  assert.deepEqual(
    [called['in_total'], called['out_total'], called['cost_reported_usd']],
    [900, 40, '0.5']
  )
})
