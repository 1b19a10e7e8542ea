import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import { SpareMemory } from '../records/spare-memory.ts'
import { Answers, answerSockets } from './answer-socket.ts'

const framed = (body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** Puts bytes where the answers want them, at most `size` at a time, as a socket does. */
const feed = (answers: Answers, stream: Buffer, size: number): Buffer[] => {
  const seen: Buffer[] = []
  for (let at = 0; at < stream.length;) {
    const length = stream.copy(answers.room(), 0, at, at + size)
    answers.read(length, (answer) => seen.push(answer))
    at += length
  }
  return seen
}

describe('answers of a broker', () => {
  test('come out whole and in order, wherever the socket cuts them', () => {
    const bodies = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('the second one')]
    const stream = Buffer.concat(bodies.map(framed))
    for (let size = 1; size <= stream.length; size++) {
      const seen = feed(new Answers(new SpareMemory()), stream, size)
      assert.deepEqual(seen, bodies.map(framed), `cut every ${size} bytes`)
    }
  })

  test('come out whole when they are large, and what follows does too', () => {
    const bodies = [3, 200_000, 65_531, 131_068, 5, 1_000_000].map((length, index) =>
      Buffer.alloc(length, String(index))
    )
    const stream = Buffer.concat(bodies.map(framed))
    for (const size of [997, 65_535, 65_536, 65_537, 300_000, stream.length]) {
      const seen = feed(new Answers(new SpareMemory()), stream, size)
      assert.equal(Buffer.compare(Buffer.concat(seen), stream), 0, `cut every ${size} bytes`)
      assert.deepEqual(
        seen.map(({ length }) => length),
        bodies.map(({ length }) => length + 4)
      )
    }
  })

  test('of a length that none has end the connection', () => {
    for (const length of [-1, 2 ** 31 - 1]) {
      const answers = new Answers(new SpareMemory())
      answers.room().writeInt32BE(length)
      assert.throws(() => answers.read(4, () => assert.fail('no answer')), RangeError)
    }
  })

  test('that a closed connection cut off give their memory back', () => {
    const memory = new SpareMemory()
    const answers = new Answers(memory)
    const whole = framed(Buffer.alloc(1 << 20))
    const length = whole.copy(answers.room(), 0, 0, 100)
    answers.read(length, () => assert.fail('no answer'))
    const { buffer } = answers.room()
    answers.abandon()
    answers.abandon()
    assert.equal(memory.take(whole.length).buffer, buffer)
    assert.deepEqual(feed(answers, framed(Buffer.from('next')), 9), [framed(Buffer.from('next'))])
  })

  test('arrive through a socket, and the memory of one is free while the next is read', async (t) => {
    const bodies = Array.from({ length: 40 }, (_, index) =>
      Buffer.alloc(index % 2 === 0 ? 300_000 : 10, String.fromCharCode(97 + (index % 26)))
    )
    const server = net.createServer((peer) => peer.end(Buffer.concat(bodies.map(framed))))
    server.listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as net.AddressInfo
    const memory = new SpareMemory()
    const seen: string[] = []
    const socket = answerSockets(memory)({ host: '127.0.0.1', port, onConnect: () => {} })
    socket.on('data', (answer: Buffer) => {
      seen.push(`${answer.length} ${answer.subarray(4).toString()}`)
      memory.give(answer.fill('!'))
    })
    await once(socket, 'close')
    assert.deepEqual(
      seen,
      bodies.map((body) => `${body.length + 4} ${body.toString()}`)
    )
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
