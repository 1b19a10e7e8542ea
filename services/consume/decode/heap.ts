import { grown } from './grown.ts'
import type { Memory } from './words.ts'

/** A growing heap of strings, one after the other. */
export class Heap {
  bytes = new Uint8Array(0)
  view = new DataView(this.bytes.buffer)
  length = 0

  reset(): void {
    this.length = 0
    if (this.bytes.length <= HEAP_BYTES_KEPT_MAX) return
    this.bytes = new Uint8Array(0)
    this.view = new DataView(this.bytes.buffer)
  }

  add(source: Uint8Array, start: number, end: number): void {
    let into = this.#room(end - start)
    const { bytes } = this
    // Ids are short: a plain loop beats the call of `set` with a subarray.
    if (end - start > 64) bytes.set(source.subarray(start, end), into)
    else for (let at = start; at < end;) bytes[into++] = source[at++]!
  }

  /**
   * As `add`, four bytes a step: ids are long enough for it to pay.
   * @returns whether all is printable ASCII. A byte below 0x20 borrows, one above 0x7f has its top
   * bit set; the last step may look at bytes twice, so that none is left over.
   */
  addFrom({ bytes: source, view }: Memory, start: number, end: number): boolean {
    const into = this.#room(end - start) - start
    if (end - start < 4) {
      for (let at = start; at < end; at++) this.bytes[into + at] = source[at]!
      return false
    }
    const own = this.view
    let odd = 0
    for (let at = start; at < end; at += 4) {
      const from = at <= end - 4 ? at : end - 4
      const word = view.getInt32(from, true)
      own.setInt32(into + from, word, true)
      const isDelete = word ^ 0x7f7f7f7f
      odd |= word | (word - 0x20202020) | (isDelete - 0x01010101)
    }
    return (odd & 0x80808080) === 0
  }

  addHex(source: Uint8Array, start: number, end: number): void {
    let into = this.#room((end - start) * 2)
    for (let at = start; at < end; at++, into += 2) {
      this.view.setUint16(into, HEX_PAIRS[source[at]!]!)
    }
  }

  /** Makes room at the end and says where it begins. */
  #room(length: number): number {
    const to = this.length
    this.length += length
    if (this.length > this.bytes.length) {
      this.bytes = grown(this.bytes, Math.max(this.length, this.bytes.length * 2, 4096))
      this.view = new DataView(this.bytes.buffer)
    }
    return to
  }
}

/** A heap that one odd batch blew up is given back. 16 MiB. */
const HEAP_BYTES_KEPT_MAX = 16 << 20

/** Two digits of each byte, as they lie in memory. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16BE()
)
