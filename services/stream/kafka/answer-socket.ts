import net from 'node:net'
import tls, { type ConnectionOptions } from 'node:tls'
import type { SpareMemory } from '../records/spare-memory.ts'

/**
 * Sockets for kafkajs that hand over whole answers. Its own collect an answer's chunks, each in
 * fresh memory, and copy them together: twice the answer's size in garbage.
 */

/** What kafkajs asks of a socket factory. */
export type SocketFactory = (options: {
  host: string
  port: number
  ssl?: ConnectionOptions | boolean | null
  onConnect: () => void
}) => net.Socket

/** As kafkajs sets it. */
const KEEP_ALIVE_DELAY_MS = 60_000
/** Bytes of one read from the socket: a few system calls an answer. */
const READ_BYTES = 256 * 1024

export const answerSockets =
  (memory: SpareMemory): SocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    const answers = new Answers(memory)
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, bytes: Uint8Array): boolean => {
        try {
          answers.read(bytes.subarray(0, length), (answer) => socket.emit('data', answer))
        } catch (error) {
          socket.destroy(error as Error)
        }
        return true
      }
    }
    const options = { host, port, onread }
    const secure = typeof ssl === 'object' ? ssl : {}
    const servername = net.isIP(host) === 0 ? { servername: host } : {}
    const socket = ssl
      ? tls.connect({ ...options, ...servername, ...secure }, onConnect)
      : net.connect(options, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    return socket
  }

/** An answer begins with the length of its rest. */
const LENGTH_BYTES = 4
/** Far above the 64 MiB that a fetch asks for: one batch may exceed that, nothing else does. */
const ANSWER_BYTES_MAX = 512 * 1024 * 1024

/** Puts the answers of one connection together from what its socket brings. */
export class Answers {
  readonly #memory: SpareMemory
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  /** The answer under way; null while its length is not known. */
  #answer: Buffer | null = null
  #filled = 0

  constructor(memory: SpareMemory) {
    this.#memory = memory
  }

  /**
   * Takes what was read; its memory may change afterwards. Hands on each answer that is complete.
   * @throws RangeError for a length that no answer has.
   */
  read(bytes: Uint8Array, hand: (answer: Buffer) => void): void {
    for (let at = 0; at < bytes.length;) {
      const into = this.#answer ?? this.#length
      const piece = bytes.subarray(at, at + into.length - this.#filled)
      into.set(piece, this.#filled)
      this.#filled += piece.length
      at += piece.length
      if (this.#filled < into.length) return
      if (this.#answer === null) this.#begin()
      if (this.#answer?.length === this.#filled) hand(this.#end(this.#answer))
    }
  }

  #begin(): void {
    const length = this.#length.readInt32BE()
    if (length < 0 || length > ANSWER_BYTES_MAX) {
      throw new RangeError(`the broker announces an answer of ${length} bytes`)
    }
    this.#answer = this.#memory.take(LENGTH_BYTES + length)
    this.#length.copy(this.#answer)
  }

  #end(answer: Buffer): Buffer {
    this.#answer = null
    this.#filled = 0
    return answer
  }
}
