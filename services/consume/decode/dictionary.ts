import { Cursor } from './cursor.ts'

/** Throws a Failure for bytes that may not become a value. Called once for each new value. */
export type Check = (bytes: Uint8Array, start: number, end: number) => void

/** A value that stands alone, with its code since the dictionary was last cleared. */
export type Standing = { readonly bytes: Uint8Array; code: number; round: number }

export const standing = (text: string): Standing => ({
  bytes: Buffer.from(text),
  code: -1,
  round: -1
})

/** Starting number of values with room; everything doubles when full. */
const VALUES_START = 128
/** Dictionaries that grew beyond this are dropped after a batch, so one odd batch costs no memory. */
const VALUES_KEPT_MAX = 1 << 15
/** A column with this many values hardly repeats: looking more of them up costs and finds nothing. */
const VALUES_FOUND_MAX = 1 << 15

/**
 * Codes for strings that repeat, found by their UTF-8 bytes so that no string is made for a value
 * seen before. Open addressing at half load over a word-wise hash; the last code is tried first
 * because neighbouring events often agree. Beyond `VALUES_FOUND_MAX` every value gets a new code, so
 * that one value may have several.
 */
export class Dictionary {
  readonly #check: Check
  readonly #own = new Cursor()
  /** Counts the times that it was cleared: codes of before are good no more. */
  #round = 0
  /** Code + 1 by slot; 0 = free. */
  #slots = new Int32Array(VALUES_START * 2)
  #hashes = new Int32Array(VALUES_START)
  #ends = new Int32Array(VALUES_START + 1)
  #heap = new Uint8Array(VALUES_START * 16)
  #view = new DataView(this.#heap.buffer)
  #size = 0
  #last = -1

  constructor(check: Check) {
    this.#check = check
  }

  get size(): number {
    return this.#size
  }

  /** Code of the bytes `[start, end)` under the cursor, new or known. */
  code(cursor: Cursor, start: number, end: number): number {
    if (this.#last >= 0 && this.#equals(this.#last, cursor, start, end)) return this.#last
    if (this.#size >= VALUES_FOUND_MAX) {
      this.#check(cursor.bytes, start, end)
      return (this.#last = this.#append(cursor, start, end))
    }
    const hash = hashOf(cursor, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const code = this.#slots[slot]! - 1
      if (code < 0) break
      if (this.#hashes[code] === hash && this.#equals(code, cursor, start, end)) {
        return (this.#last = code)
      }
      slot = (slot + 1) & mask
    }
    this.#check(cursor.bytes, start, end)
    return (this.#last = this.#add(hash, cursor, start, end))
  }

  /** Code of a value that comes again as the same object, and in this dictionary alone. */
  codeOf(value: Standing): number {
    if (value.round === this.#round) return value.code
    this.#own.attach(value.bytes)
    value.code = this.code(this.#own, 0, value.bytes.length)
    value.round = this.#round
    return value.code
  }

  /** UTF-8 bytes of one code. */
  bytesOf(code: number): Uint8Array {
    return this.#heap.subarray(this.#ends[code], this.#ends[code + 1])
  }

  /** Bytes of all values, one after the other; code `c` is `heap[ends[c], ends[c + 1])`. */
  memory(): { heap: Uint8Array; ends: Int32Array } {
    return { heap: this.#heap, ends: this.#ends }
  }

  clear(): void {
    if (this.#hashes.length > VALUES_KEPT_MAX) {
      this.#slots = new Int32Array(VALUES_START * 2)
      this.#hashes = new Int32Array(VALUES_START)
      this.#ends = new Int32Array(VALUES_START + 1)
      this.#heap = new Uint8Array(VALUES_START * 16)
      this.#view = new DataView(this.#heap.buffer)
    } else this.#slots.fill(0)
    this.#round++
    this.#size = 0
    this.#last = -1
  }

  /** Four bytes a step, from the end, where values mostly differ: tenant-0001, tenant-0002. */
  #equals(code: number, { bytes, view }: Cursor, start: number, end: number): boolean {
    const from = this.#ends[code]!
    let left = end - start
    if (this.#ends[code + 1]! - from !== left) return false
    const own = this.#view
    for (; left >= 4; left -= 4) {
      if (own.getInt32(from + left - 4) !== view.getInt32(start + left - 4)) return false
    }
    for (; left > 0; left--) {
      if (this.#heap[from + left - 1] !== bytes[start + left - 1]) return false
    }
    return true
  }

  #add(hash: number, cursor: Cursor, start: number, end: number): number {
    if (this.#size === this.#hashes.length) this.#grow()
    this.#hashes[this.#size] = hash
    this.#place(this.#size)
    return this.#append(cursor, start, end)
  }

  /** Four bytes a step: a view of each value would cost more than its copy. */
  #append({ bytes, view }: Cursor, start: number, end: number): number {
    const code = this.#size++
    if (code + 2 > this.#ends.length) this.#ends = widened(this.#ends, this.#ends.length * 2)
    let into = this.#ends[code]!
    this.#reserve(into + end - start)
    const [heap, own] = [this.#heap, this.#view]
    let at = start
    for (; at + 4 <= end; at += 4, into += 4) own.setInt32(into, view.getInt32(at))
    while (at < end) heap[into++] = bytes[at++]!
    this.#ends[code + 1] = into
    return code
  }

  #place(code: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#hashes[code]! & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = code + 1
  }

  #grow(): void {
    const capacity = this.#hashes.length * 2
    this.#hashes = widened(this.#hashes, capacity)
    this.#slots = new Int32Array(capacity * 2)
    for (let code = 0; code < this.#size; code++) this.#place(code)
  }

  #reserve(length: number): void {
    if (length <= this.#heap.length) return
    const heap = new Uint8Array(Math.max(length, this.#heap.length * 2))
    heap.set(this.#heap)
    this.#heap = heap
    this.#view = new DataView(heap.buffer)
  }
}

const widened = (array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> => {
  const wide = new Int32Array(length)
  wide.set(array)
  return wide
}

const hashOf = ({ bytes, view }: Cursor, start: number, end: number): number => {
  let hash = end - start
  let at = start
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x85ebca6b)
  return hash ^ (hash >>> 13)
}
