/** Throws a Failure for bytes that may not become a value. Called once for each new value. */
export type Check = (bytes: Uint8Array, start: number, end: number) => void

/** Bytes, and the same bytes to be read by words. */
export type Memory = { readonly bytes: Uint8Array; readonly view: DataView }

export const memoryOf = (bytes: Uint8Array): Memory => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
})

/**
 * A value that stands alone, with its code since the dictionary was last cleared. A class, so that all
 * of them have one shape: others would slow down whatever looks at memory.
 */
export class Standing implements Memory {
  readonly bytes: Uint8Array
  readonly view: DataView
  code = -1
  round = -1

  constructor(text: string) {
    this.bytes = Buffer.from(text)
    this.view = memoryOf(this.bytes).view
  }
}

/** Starting number of values with room; everything doubles when full. */
const VALUES_START = 128
/** Memory that grew beyond this is given back after a batch, so one odd batch costs none. 8 MiB. */
const HEAP_BYTES_KEPT_MAX = 8 << 20
/** A column with this many values hardly repeats: looking more of them up costs and finds nothing. */
const VALUES_FOUND_MAX = 1 << 15
/** Nor does one with this many values, of which nearly each was new when it was looked for. */
const VALUES_TRIED_MIN = 1 << 13
const LOOKS_PER_NEW_MIN = 9 / 8

/**
 * Codes for strings that repeat, found by their UTF-8 bytes so that no string is made for a value
 * seen before. Open addressing at half load over a word-wise hash; the last code is tried first
 * because neighbouring events often agree. Where values hardly repeat each one gets a new code, so that
 * one value may have several.
 */
export class Dictionary {
  readonly #check: Check
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
  /** Values looked for, without those that the last code was good for. */
  #looked = 0
  #repeats = true

  constructor(check: Check) {
    this.#check = check
  }

  get size(): number {
    return this.#size
  }

  /** Code of the bytes `[start, end)` of some memory, new or known. */
  code(memory: Memory, start: number, end: number): number {
    if (this.#last >= 0 && this.#equals(this.#last, memory, start, end)) return this.#last
    if (!this.#repeats) {
      this.#check(memory.bytes, start, end)
      return (this.#last = this.#append(memory, start, end))
    }
    this.#looked++
    const hash = hashOf(memory, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const code = this.#slots[slot]! - 1
      if (code < 0) break
      if (this.#hashes[code] === hash && this.#equals(code, memory, start, end)) {
        return (this.#last = code)
      }
      slot = (slot + 1) & mask
    }
    this.#check(memory.bytes, start, end)
    return (this.#last = this.#add(hash, memory, start, end))
  }

  /** Code of a value that comes again as the same object, and in this dictionary alone. */
  codeOf(value: Standing): number {
    if (value.round === this.#round) return value.code
    value.code = this.code(value, 0, value.bytes.length)
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
    if (this.#heap.length > HEAP_BYTES_KEPT_MAX) {
      this.#slots = new Int32Array(VALUES_START * 2)
      this.#hashes = new Int32Array(VALUES_START)
      this.#ends = new Int32Array(VALUES_START + 1)
      this.#heap = new Uint8Array(VALUES_START * 16)
      this.#view = new DataView(this.#heap.buffer)
    } else this.#slots.fill(0)
    this.#round++
    this.#size = 0
    this.#last = -1
    this.#looked = 0
    this.#repeats = true
  }

  /**
   * Four bytes a step, from the end, where values mostly differ: tenant-0001, tenant-0002. The last
   * step may look at bytes twice, so that none is left over.
   */
  #equals(code: number, { bytes, view }: Memory, start: number, end: number): boolean {
    const from = this.#ends[code]!
    const length = end - start
    if (this.#ends[code + 1]! - from !== length) return false
    if (length < 4) return equalBytes(this.#heap.subarray(from, from + length), bytes, start)
    const own = this.#view
    for (let at = length - 4; at > 0; at -= 4) {
      if (own.getInt32(from + at, true) !== view.getInt32(start + at, true)) return false
    }
    return own.getInt32(from, true) === view.getInt32(start, true)
  }

  #add(hash: number, memory: Memory, start: number, end: number): number {
    if (this.#size === this.#hashes.length) this.#grow()
    this.#hashes[this.#size] = hash
    this.#place(this.#size)
    return this.#append(memory, start, end)
  }

  /** Four bytes a step: a view of each value would cost more than its copy. */
  #append({ bytes, view }: Memory, start: number, end: number): number {
    const code = this.#size++
    if (code + 2 > this.#ends.length) this.#ends = widened(this.#ends, this.#ends.length * 2)
    let into = this.#ends[code]!
    this.#reserve(into + end - start)
    const [heap, own] = [this.#heap, this.#view]
    let at = start
    for (; at + 4 <= end; at += 4, into += 4) own.setInt32(into, view.getInt32(at, true), true)
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
    const hasNews = this.#looked < this.#size * LOOKS_PER_NEW_MIN
    this.#repeats = this.#size < (hasNews ? VALUES_TRIED_MIN : VALUES_FOUND_MAX)
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

const equalBytes = (own: Uint8Array, bytes: Uint8Array, start: number): boolean => {
  for (let at = 0; at < own.length; at++) if (own[at] !== bytes[start + at]) return false
  return true
}

/** A hash of 32 bits: the same bytes give the same one. */
export const hashOf = ({ bytes, view }: Memory, start: number, end: number): number => {
  let hash = end - start
  if (hash < 4) {
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x9e3779b1)
  } else {
    const last = end - 4
    for (let at = start; at < last; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1)
    }
    hash = Math.imul(hash ^ (hash >>> 15) ^ view.getInt32(last, true), 0x85ebca6b)
  }
  return hash ^ (hash >>> 15)
}
