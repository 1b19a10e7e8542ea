import { connect, type Socket } from 'node:net'
import type { Batch } from './batch.ts'

/** An answer, as much as a sender needs of it. */
export type Reply = { status: number; retryAfterS: number | null }

const STATUS = /^HTTP\/1\.1 (\d{3})/
const LENGTH = /\r\ncontent-length: (\d+)/i
const RETRY_AFTER = /\r\nretry-after: (\d+)/i

/**
 * One connection that sends a request at a time: a socket and no HTTP client, whose cost would be
 * counted against the collector's neighbour on a small machine.
 */
export class Sender {
  readonly batch: Batch
  readonly #url: URL
  #socket: Socket | null = null
  #received = ''
  #settle: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | null = null

  constructor(url: URL, batch: Batch) {
    this.#url = url
    this.batch = batch
  }

  /** Sends the batch's bytes as they are now. @throws Error when the connection ends before. */
  send(): Promise<Reply> {
    this.#socket ??= this.#connect()
    this.#socket.write(this.batch.bytes)
    return new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #connect(): Socket {
    const socket = connect({ port: Number(this.#url.port), host: this.#url.hostname })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#socket = null
      this.#received = ''
      this.#settle?.reject(new Error('the connection ended'))
      this.#settle = null
    })
    return socket
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.toString('latin1')
    const head = this.#received.indexOf('\r\n\r\n')
    if (head === -1) return
    const length = Number(LENGTH.exec(this.#received)?.[1] ?? 0)
    if (this.#received.length < head + 4 + length) return
    const retryAfter = RETRY_AFTER.exec(this.#received.slice(0, head))?.[1]
    const reply = {
      status: Number(STATUS.exec(this.#received)?.[1]),
      retryAfterS: retryAfter === undefined ? null : Number(retryAfter)
    }
    this.#received = ''
    const settle = this.#settle
    this.#settle = null
    settle?.resolve(reply)
  }
}
