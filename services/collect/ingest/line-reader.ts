import { createHash, type Hash } from 'node:crypto'
import { trimEnd } from '../lines.ts'

/** A line of a stream, or the place of one that is too long to hold. */
export type StreamLine = {
  /** Counts from 1. */
  number: number
  /** Byte at which it starts, counted before decompression is undone. */
  start: number
  /** Byte after its newline. */
  end: number
  /** Null when the line exceeds the bound and was skipped. */
  bytes: Uint8Array | null
  /** Whether a newline ends it; the last line of a file that is being written has none. */
  isComplete: boolean
}

const NEWLINE = 0x0a

/**
 * Divides a stream of bytes into lines in bounded memory, and keeps the hash of all that was
 * handed out, by which a later run recognises how far this one came.
 */
export class LineReader {
  readonly #chunks: AsyncIterable<Uint8Array>
  readonly #lineBytesMax: number
  readonly #hash: Hash = createHash('sha256')
  /** The hash before the line that is being put together. */
  #hashBefore: Hash = createHash('sha256')
  #parts: Uint8Array[] = []
  #partsBytes = 0
  #isOverlong = false
  #number = 0
  #start = 0

  constructor(chunks: AsyncIterable<Uint8Array>, lineBytesMax: number) {
    this.#chunks = chunks
    this.#lineBytesMax = lineBytesMax
  }

  /** Hash of every byte up to the end of the last line handed out, or up to its start. */
  prefixHash(upTo: 'end' | 'start' = 'end'): string {
    return (upTo === 'end' ? this.#hash : this.#hashBefore).copy().digest('hex')
  }

  async *lines(): AsyncGenerator<StreamLine> {
    for await (const chunk of this.#chunks) {
      let from = 0
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        this.#keep(chunk.subarray(from, at + 1))
        from = at + 1
        yield this.#take(true)
      }
      if (from >= chunk.length) continue
      if (this.#partsBytes === 0) this.#hashBefore = this.#hash.copy()
      this.#keep(chunk.subarray(from))
    }
    if (this.#partsBytes > 0) yield this.#take(false)
  }

  #keep(part: Uint8Array): void {
    this.#partsBytes += part.length
    this.#hash.update(part)
    if (this.#partsBytes > this.#lineBytesMax) {
      this.#isOverlong = true
      this.#parts = []
    } else {
      this.#parts.push(part)
    }
  }

  #take(isComplete: boolean): StreamLine {
    const [first] = this.#parts
    const whole =
      this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts)
    const line: StreamLine = {
      number: ++this.#number,
      start: this.#start,
      end: this.#start + this.#partsBytes,
      bytes: this.#isOverlong ? null : trimEnd(isComplete ? whole.subarray(0, -1) : whole),
      isComplete
    }
    this.#start = line.end
    this.#parts = []
    this.#partsBytes = 0
    this.#isOverlong = false
    return line
  }
}
