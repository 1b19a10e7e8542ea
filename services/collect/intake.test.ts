import assert from 'node:assert/strict'
import { test } from 'node:test'
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
