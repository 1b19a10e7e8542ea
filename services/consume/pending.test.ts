import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeRefused } from '../../schemas/refused.ts'
import { nativeFormat } from './decode/messages.ts'
import { Pending } from './pending.ts'

const runOf = (...values: readonly Buffer[]) => {
  const ends = values.map((_value, index) =>
    values.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0)
  )
  return {
    partition: 0,
    first: 0,
    next: values.length,
    count: values.length,
    offsets: Float64Array.from(values.keys()),
    timesMs: new Float64Array(values.length),
    bytes: Buffer.concat(values),
    valueStart: Int32Array.from([0, ...ends.slice(0, -1)]),
    valueEnd: Int32Array.from(ends),
    faults: [],
    anchor: null
  }
}

test('a record that the relay of another topic refused brings its reason and its own bytes into quarantine', () => {
  const pending = new Pending(nativeFormat())
  const bytes = Buffer.from('{broken')
  const refused = encodeRefused({
    code: 'E_SCHEMA_UNKNOWN',
    reason: 'calls/3/17: no schema 99',
    bytes
  })
  const forged = Buffer.from('\0tally-refused\0\xff\xff\xff\xffno length')
  pending.add(runOf(refused, forged), { topic: 'usage.events.v1', incarnation: 'i' })
  const [first, second] = pending.quarantined()
  assert.deepEqual(
    [first?.code, first?.reason, Buffer.from(first?.bytes ?? []).toString(), first?.byteLength],
    ['E_SCHEMA_UNKNOWN', 'calls/3/17: no schema 99', '{broken', 7]
  )
  assert.equal(second?.code, 'E_RECORD_UNREADABLE')
})
