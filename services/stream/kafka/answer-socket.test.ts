import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SpareMemory } from '../records/spare-memory.ts'
import { Answers } from './answer-socket.ts'

const framed = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

describe('answers of a broker', () => {
  test('come out whole and in order, wherever the socket cuts them', () => {
    const bodies = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('the second one')]
    const stream = Buffer.concat(bodies.map(framed))
    for (let size = 1; size <= stream.length; size++) {
      const answers = new Answers(new SpareMemory())
      const seen: Buffer[] = []
      // One piece of memory for every read, as the socket has it.
      const read = Buffer.alloc(size)
      for (let at = 0; at < stream.length; at += size) {
        const length = stream.copy(read, 0, at, at + size)
        answers.read(read.subarray(0, length), (answer) => seen.push(answer))
      }
      assert.deepEqual(seen, bodies.map(framed), `cut every ${size} bytes`)
    }
  })

  test('of a length that none has end the connection', () => {
    for (const length of [-1, 2 ** 31 - 1]) {
      const head = Buffer.alloc(4)
      head.writeInt32BE(length)
      const answers = new Answers(new SpareMemory())
      assert.throws(() => answers.read(head, () => assert.fail('no answer')), RangeError)
    }
  })
})

describe('spare memory', () => {
  const LARGE = 1 << 20

  test('is handed out again once it was given back, and not before', () => {
    const memory = new SpareMemory()
    const first = memory.take(LARGE)
    const second = memory.take(LARGE)
    assert.notEqual(first.buffer, second.buffer)
    memory.give(first)
    const third = memory.take(LARGE - 1)
    assert.equal(third.buffer, first.buffer)
    assert.equal(third.length, LARGE - 1)
  })

  test('stays bounded where nobody gives anything back', () => {
    const memory = new SpareMemory()
    const taken = Array.from({ length: 100 }, () => memory.take(LARGE))
    const shared = taken.filter(({ buffer }) => buffer instanceof SharedArrayBuffer)
    assert.ok(shared.length > 0 && shared.length < 50, `${shared.length} shared`)
  })
})
