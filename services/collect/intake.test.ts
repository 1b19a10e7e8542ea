import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COUNT_MAX } from '../../schemas/event.ts'
import { takeIn } from './intake.ts'
import { CASE_NOW_MS } from './sources/cases.ts'
import { loadSource } from './sources/load.ts'

const RULES = { nowMs: CASE_NOW_MS, tenantOnly: null, itemsMax: 20_000 }

test('looks up what was meant for some unknown names of a message and counts them all', async () => {
  const event: Record<string, unknown> = { id: 'x', time: '2026-11-24T11:00:00Z', kind: 'llm' }
  const names = 5_000
  for (let name = 0; name < names; name++) event[`duration_ms${name}`] = 1
  const bytes = Buffer.from(JSON.stringify([{ ...event, tenant: 'acme' }]))
  const message = { bytes, mediaType: null, door: null, headers: {}, tenant: null }
  const { faults } = takeIn(await loadSource('native'), message, RULES)
  assert.equal(faults.length, names)
  const suggested = faults.filter(({ nearest }) => nearest !== null)
  assert.ok(suggested.length > 0 && suggested.length <= 200, `${suggested.length} suggestions`)
})

test('refuses counts that a consumer would refuse: told as text, or summed', async () => {
  const source = await loadSource('native')
  const event = { id: 'x', time: '2026-11-24T11:00:00Z', kind: 'llm', tenant: 'acme' }
  const asText = { completion_tokens: '9000000000' }
  const summed = { in_uncached: COUNT_MAX, in_cache_read: 1 }
  const cases: [object, RegExp][] = [
    [{ ...event, provider: 'openai', usage: asText }, /^out_\w+ is 9000000000, above/],
    [{ ...event, tokens: summed }, /^in_total is 2147483648, above/]
  ]
  for (const [body, says] of cases) {
    const bytes = Buffer.from(JSON.stringify([body]))
    const message = { bytes, mediaType: null, door: null, headers: {}, tenant: null }
    const { records, faults } = takeIn(source, message, RULES)
    assert.equal(records.length, 0)
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['E_EVENT_INVALID']
    )
    assert.match(faults[0]!.message, says)
  }
})
