import { TEXT_LENGTH_MAX } from '../../../schemas/event.ts'
import { grown } from './grown.ts'
import { Heap } from './heap.ts'
import { memoryOf, type Memory } from './words.ts'

/** Throws a Failure for bytes that may not become a value. Called once for each new value. */
export type Check = (bytes: Uint8Array, start: number, end: number) => void

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
/** A column with this many values hardly repeats: looking more of them up costs and finds nothing. */
const VALUES_FOUND_MAX = 1 << 15
/** Nor does one with this many values, of which nearly each was new when it was looked for. */
const VALUES_TRIED_MIN = 1 << 13
const LOOKS_PER_NEW_MIN = 9 / 8
/** Steps of one search; more are not chance at half load, but values made to share a hash. */
const STEPS_MAX = 256

/**
 * Codes for strings that repeat, found by their UTF-8 bytes so that no string is made for a value
 * seen before. Open addressing at half load over a word-wise hash; the last code is tried first
 * because neighbouring events often agree. Where values hardly repeat each one gets a new code, so that
 * one value may have several.
 */
export class Dictionary {
  readonly #check: Check
  readonly #takesPlain: boolean
  readonly #heap = new Heap()
  /** Counts the times that it was cleared: codes of before are good no more. */
  #round = 0
  /** Code + 1 by slot; 0 = free. */
  #slots = new Int32Array(VALUES_START * 2)
  #hashes = new Int32Array(VALUES_START)
  #ends = new Int32Array(VALUES_START + 1)
  #size = 0
  #last = -1
  /** Values looked for, without those that the last code was good for. */
  #looked = 0
  #repeats = true

  /** @param takesPlain whether a short value of printable ASCII is right without a check. */
  constructor(check: Check, takesPlain: boolean) {
    this.#check = check
    this.#takesPlain = takesPlain
  }

  get size(): number {
    return this.#size
  }

  /** Code of the bytes `[start, end)` of some memory, new or known. */
  code(memory: Memory, start: number, end: number): number {
    if (this.#last >= 0 && this.#equals(this.#last, memory, start, end)) return this.#last
    if (!this.#repeats) return (this.#last = this.#append(memory, start, end))
    this.#looked++
    const hash = hashOf(memory, start, end)
    const mask = this.#slots.length - 1
    for (let step = 0; this.#repeats; step++) {
      const code = this.#slots[(hash + step) & mask]! - 1
      if (code < 0) break
      if (this.#hashes[code] === hash && this.#equals(code, memory, start, end)) {
        return (this.#last = code)
      }
      if (step === STEPS_MAX) this.#repeats = false
    }
    const code = this.#append(memory, start, end)
    if (this.#repeats) this.#place(code, hash)
    return (this.#last = code)
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
    return this.#heap.bytes.subarray(this.#ends[code], this.#ends[code + 1])
  }

  /** Bytes of all values, one after the other; code `c` is `heap[ends[c], ends[c + 1])`. */
  memory(): { heap: Uint8Array; ends: Int32Array } {
    return { heap: this.#heap.bytes, ends: this.#ends }
  }

  clear(): void {
    this.#slots.fill(0)
    this.#heap.reset()
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
    if (length < 4) return equalBytes(this.bytesOf(code), bytes, start)
    const own = this.#heap.view
    for (let at = length - 4; at > 0; at -= 4) {
      if (own.getInt32(from + at, true) !== view.getInt32(start + at, true)) return false
    }
    return own.getInt32(from, true) === view.getInt32(start, true)
  }

  #append(memory: Memory, start: number, end: number): number {
    const code = this.#size
    const isPlain = this.#heap.addFrom(memory, start, end)
    if (!isPlain || !this.#takesPlain || end - start > TEXT_LENGTH_MAX) {
      try {
        this.#check(memory.bytes, start, end)
      } catch (error) {
        this.#heap.length = this.#ends[code]!
        throw error
      }
    }
    this.#size++
    if (code + 2 > this.#ends.length) this.#ends = grown(this.#ends, this.#ends.length * 2)
    this.#ends[code + 1] = this.#heap.length
    return code
  }

  #place(code: number, hash: number): void {
    if (code === this.#hashes.length) this.#grow()
    this.#hashes[code] = hash
    this.#mark(code)
  }

  #mark(code: number): void {
    const mask = this.#slots.length - 1
    let slot = this.#hashes[code]! & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = code + 1
  }

  /** Doubles the room for values that are found again, unless it shows that they hardly are. */
  #grow(): void {
    const { length } = this.#hashes
    const hasNews = this.#looked < length * LOOKS_PER_NEW_MIN
    this.#repeats = length < (hasNews ? VALUES_TRIED_MIN : VALUES_FOUND_MAX)
    this.#hashes = grown(this.#hashes, length * 2)
    this.#slots = new Int32Array(length * 4)
    for (let code = 0; code < length; code++) this.#mark(code)
  }
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
