import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mendedCommit, sealed, sealState, unsealed } from './commit-seal.ts'

const TEXT =
  '{"commitInfo":{"timestamp":1,"operation":"WRITE"}}\n{"txn":{"appId":"ranges","version":7}}\n'
const WHOLE = Buffer.from(sealed(TEXT))

test('a sealed commit says what it said before', () => {
  assert.equal(unsealed(WHOLE.toString()), TEXT)
  assert.equal(sealState(WHOLE), 'whole')
  assert.equal(JSON.parse(WHOLE.toString().split('\n')[0] ?? '').commitInfo.timestamp, 1)
})

test('each of its bits is missed when it flips, and set right', () => {
  for (let bit = 0; bit < WHOLE.length * 8; bit++) {
    const flipped = Buffer.from(WHOLE)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    assert.notEqual(sealState(flipped), 'whole', `bit ${bit}`)
    assert.ok(WHOLE.equals(mendedCommit(flipped) ?? Buffer.of()), `bit ${bit}`)
  }
})

test('cut anywhere, or of another writer, it is left as it is', () => {
  for (let length = 0; length < WHOLE.length; length++) {
    assert.equal(mendedCommit(WHOLE.subarray(0, length)), null, `${length} bytes`)
    assert.notEqual(sealState(WHOLE.subarray(0, length)), 'whole')
  }
  assert.equal(mendedCommit(Buffer.from(TEXT.repeat(3))), null)
})
