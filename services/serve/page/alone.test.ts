import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aloneIn } from './app/alone.ts'

test('a value between gaps is drawn as a point, whatever stands at the ends', () => {
  assert.deepEqual(aloneIn([]), [])
  assert.deepEqual(aloneIn([3]), [0])
  assert.deepEqual(aloneIn([null, 3, null]), [1])
  assert.deepEqual(aloneIn([0, null, 1, 2, null, 0]), [0, 5])
  assert.deepEqual(aloneIn([1, 2, 3]), [])
})
