import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Heap } from './heap.ts'
import { checkLabel } from './text.ts'
import { memoryOf } from './words.ts'

const isRefused = (bytes: Uint8Array): boolean => {
  try {
    checkLabel(bytes, 0, bytes.length)
    return false
  } catch {
    return true
  }
}

/** Adds bytes behind others, checks that they are there, and says whether they are plain. */
const added = (bytes: Uint8Array): boolean => {
  const heap = new Heap()
  heap.add(Buffer.from('before'), 0, 6)
  const around = Buffer.concat([Buffer.from('xy'), bytes, Buffer.from('z')])
  const isPlain = heap.addFrom(memoryOf(around), 2, 2 + bytes.length)
  const expected = Buffer.concat([Buffer.from('before'), bytes])
  assert.deepEqual(Buffer.from(heap.bytes.subarray(0, heap.length)), expected)
  return isPlain
}

describe('a label that is taken at a glance', () => {
  test('is not refused on a closer look, whatever byte it holds and wherever', () => {
    for (let length = 1; length <= 13; length++) {
      for (let place = 0; place < length; place++) {
        for (let byte = 0; byte < 256; byte++) {
          const bytes = new Uint8Array(length).fill(0x61)
          bytes[place] = byte
          const isPlain = added(bytes)
          assert.ok(!(isPlain && isRefused(bytes)), `${byte} at ${place} of ${length}`)
          const isPrintable = byte >= 0x20 && byte < 0x7f
          assert.equal(isPlain, isPrintable && length >= 4, `${byte} at ${place} of ${length}`)
        }
      }
    }
  })

  test('is not refused on a closer look, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 1000 }), (bytes) => {
        assert.ok(!(added(bytes) && isRefused(bytes)))
      })
    )
  })
})

test('bytes become two digits each', () => {
  const heap = new Heap()
  heap.addHex(Buffer.from('x\u0000ÿ\n'), 1, 5)
  assert.equal(Buffer.from(heap.bytes.subarray(0, heap.length)).toString(), '00c3bf0a')
})
