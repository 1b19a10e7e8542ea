import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBatches } from './batch.ts'
import { audit, Ledger } from './ledger.ts'

test('an audit tells what is lost and what is there too often from what may be there twice', () => {
  const [batch] = createBatches('native', 1, 7)
  assert.ok(batch)
  const ledger = new Ledger()
  const [taken, repeated, unanswered] = [ledger.open(batch), ledger.open(batch), ledger.open(batch)]
  taken.isAcknowledged = repeated.isAcknowledged = true
  repeated.unanswered = unanswered.unanswered = 1
  const counts = new Uint8Array(ledger.serials).fill(1)
  counts.fill(2, repeated.first, repeated.first + batch.size)
  const whole = { acknowledged: 200, in_log: 400, lost: 0, doubled: 0, repeated: 100 }
  assert.deepEqual(audit(ledger, counts), whole)
  counts[unanswered.first] = 0
  assert.equal(audit(ledger, counts).lost, 0)
  counts[taken.first] = 2
  counts[unanswered.first + 1] = 2
  counts[repeated.first] = 0
  const { lost, doubled } = audit(ledger, counts)
  assert.deepEqual([lost, doubled], [1, 2])
})

test('a batch carries each of its serials, in place', () => {
  for (const kind of ['native', 'spans'] as const) {
    const [batch] = createBatches(kind, 1, 7)
    assert.ok(batch)
    const { length } = batch.bytes
    batch.number(42)
    assert.equal(batch.bytes.length, length)
    for (const serial of [42, 42 + batch.size - 1]) {
      assert.ok(batch.bytes.includes(String(serial).padStart(10, '0')), `${kind} ${serial}`)
    }
    assert.ok(!batch.bytes.includes('39000000'), kind)
  }
})
