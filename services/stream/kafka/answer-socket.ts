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
/** Room for small answers, and for the beginning of large ones. */
const READ_BYTES = 64 * 1024

export const answerSockets =
  (memory: SpareMemory): SocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    const answers = new Answers(memory)
    const onread = {
      buffer: () => answers.room(),
      callback: (length: number): boolean => {
        try {
          answers.read(length, (answer) => socket.emit('data', answer))
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
    socket.once('close', () => answers.abandon())
    return socket
  }

/** An answer begins with the length of its rest. */
const LENGTH_BYTES = 4
/** Far above the 64 MiB that a fetch asks for: one batch may exceed that, nothing else does. */
const ANSWER_BYTES_MAX = 512 * 1024 * 1024

/**
 * Puts the answers of one connection together from what its socket brings. The rest of a large one
 * is read to where it belongs: it is not copied, and takes few reads.
 */
export class Answers {
  readonly #memory: SpareMemory
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  readonly #small = Buffer.allocUnsafeSlow(READ_BYTES)
  /** The answer under way; null while its length is not known. */
  #answer: Buffer | null = null
  #filled = 0

  constructor(memory: SpareMemory) {
    this.#memory = memory
  }

  /** Where the socket may put what comes next; it says to `read` how much that was. */
  room(): Buffer {
    return this.#rest() ?? this.#small
  }

  /**
   * Takes what was read. Hands on each answer that is complete.
   * @throws RangeError for a length that no answer has.
   */
  read(length: number, hand: (answer: Buffer) => void): void {
    if (this.#rest() === null) this.#readSmall(this.#small.subarray(0, length), hand)
    else {
      this.#filled += length
      this.#finish(hand)
    }
  }

  /** Gives back the memory of an answer that will not be whole any more. */
  abandon(): void {
    if (this.#answer !== null) this.#memory.give(this.#answer)
    this.#answer = null
    this.#filled = 0
  }

  /** What is missing of a large answer; null when it is less than a small read brings. */
  #rest(): Buffer | null {
    const left = (this.#answer?.length ?? 0) - this.#filled
    return left < READ_BYTES ? null : this.#answer!.subarray(this.#filled)
  }

  #readSmall(bytes: Buffer, hand: (answer: Buffer) => void): void {
    for (let at = 0; at < bytes.length;) {
      const into = this.#answer ?? this.#length
      const piece = bytes.subarray(at, at + into.length - this.#filled)
      into.set(piece, this.#filled)
      this.#filled += piece.length
      at += piece.length
      if (this.#filled < into.length) return
      if (this.#answer === null) this.#begin()
      this.#finish(hand)
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

  /** Hands on the answer when nothing is missing. */
  #finish(hand: (answer: Buffer) => void): void {
    const answer = this.#answer
    if (answer === null || this.#filled < answer.length) return
    this.#answer = null
    this.#filled = 0
    hand(answer)
  }
}
