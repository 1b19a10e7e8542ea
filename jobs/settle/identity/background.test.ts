import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withTenant } from '../../../services/collect/intake.ts'
import { loadSource } from '../../../services/collect/sources/load.ts'
import { openSettling } from '../scratch-settling.ts'

const response = (status: string, usage: object | null): object => ({
  id: 'resp_1',
  object: 'response',
  created_at: Date.parse('2026-03-01T10:05:00Z') / 1000,
  background: true,
  status,
  model: 'gpt-5.5',
  usage
})
const USAGE = { input_tokens: 121, output_tokens: 400, total_tokens: 521 }

// https://github.com/BerriAI/litellm/issues/17814
test('a background response is one call of 521 tokens, whether it was first seen running or done', async (t) => {
  const lake = await openSettling(t)
  const { read } = await loadSource('responses')
  const events = (tenant: string, responses: readonly object[]): object[] => {
    const bytes = Buffer.from(JSON.stringify(responses))
    const message = { bytes, mediaType: 'application/json', door: null, headers: {}, tenant }
    return read(message).items.map(({ event }) => withTenant(event, tenant) as object)
  }
  const running = [response('queued', null), response('in_progress', null)]
  const done = response('completed', USAGE)
  await lake.land(events('in-order', [...running, done, done]))
  await lake.land(events('late', [done, ...running]))
  await lake.settle()
  const columns = 'tenant, in_total, out_total, witnesses'
  assert.deepEqual(
    (await lake.rows(`SELECT ${columns} FROM events ORDER BY tenant`)).map(Object.values),
    [
      ['in-order', 121, 400, 3],
      ['late', 121, 400, 3]
    ]
  )
  assert.deepEqual(await lake.rows('SELECT * FROM disagreements'), [])
  assert.deepEqual(await lake.rows('SELECT * FROM conflicts'), [])
})
