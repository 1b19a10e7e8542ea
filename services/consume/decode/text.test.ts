import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { checkLabel, isPlainLabel } from './text.ts'

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset)

const isRefused = (bytes: Uint8Array): boolean => {
  try {
    checkLabel(bytes, 0, bytes.length)
    return false
  } catch {
    return true
  }
}

describe('a label that is taken at a glance', () => {
  test('is not refused on a closer look, whatever byte it holds and wherever', () => {
    for (let length = 1; length <= 13; length++) {
      for (let place = 0; place < length; place++) {
        for (let byte = 0; byte < 256; byte++) {
          const bytes = new Uint8Array(length).fill(0x61)
          bytes[place] = byte
          const isPlain = isPlainLabel(viewOf(bytes), 0, length)
          assert.ok(!(isPlain && isRefused(bytes)), `${byte} at ${place} of ${length}`)
          const isPrintable = byte >= 0x20 && byte < 0x7f
          assert.equal(isPlain, isPrintable && length >= 4, `${byte} at ${place} of ${length}`)
        }
      }
    }
  })

  test('is not refused on a closer look, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 1100 }), (bytes) => {
        assert.ok(!(isPlainLabel(viewOf(bytes), 0, bytes.length) && isRefused(bytes)))
      })
    )
  })
})
