import type { ColumnData, TextHeap } from '../../lake/columns.ts'
import type { Dictionary } from './dictionary.ts'
import { grown, type Values } from './grown.ts'
import { Heap } from './heap.ts'
import type { Memory } from './words.ts'

/**
 * Growing columns. A row is written at its index and becomes part of the batch only when the
 * batch counts it, so records that fail half-way are undone by `truncate`.
 */
export type Builder = {
  /** Makes room for `rows` rows. */
  reserve: (rows: number) => void
  /** Forgets every row; memory is kept for the next batch. */
  reset: () => void
  /** Forgets rows from `row` to before `end`, behind which there are none. */
  truncate: (row: number, end: number) => void
  /** Whether `row` holds a value. */
  has: (row: number) => boolean
  /** Whether any row holds a value. */
  readonly used: boolean
  /** The first `rows` rows; codes refer to `dictionary` where there is one. */
  column: (rows: number) => ColumnData
}

/** Bits of rows that hold a value. Padded to 8 bytes, as DuckDB reads whole words. */
class Validity {
  bits = new Uint8Array(8)
  /** The first row that holds a value: a column without one need not be copied. */
  #first = Infinity

  get used(): boolean {
    return this.#first < Infinity
  }

  reserve(rows: number): void {
    this.bits = grown(this.bits, Math.ceil(rows / 64) * 8)
  }

  set(row: number): void {
    this.bits[row >> 3]! |= 1 << (row & 7)
    if (row < this.#first) this.#first = row
  }

  reset(): void {
    if (this.used) this.bits.fill(0)
    this.#first = Infinity
  }

  truncate(from: number, end: number): void {
    for (let row = from; row < end; row++) this.bits[row >> 3]! &= ~(1 << (row & 7))
    if (this.#first >= from) this.#first = Infinity
  }

  has(row: number): boolean {
    return (this.bits[row >> 3]! & (1 << (row & 7))) !== 0
  }
}

/** What every builder does about missing values. */
export abstract class Nullable {
  protected readonly valid = new Validity()

  get used(): boolean {
    return this.valid.used
  }

  reset(): void {
    this.valid.reset()
  }

  truncate(row: number, end: number): void {
    this.valid.truncate(row, end)
  }

  has(row: number): boolean {
    return this.valid.has(row)
  }
}

/** Fixed-width values: integers of 32 bits, doubles, booleans. */
export class NumberBuilder extends Nullable implements Builder {
  readonly #type: 'INTEGER' | 'DOUBLE' | 'BOOLEAN'
  #values: Values

  constructor(type: 'INTEGER' | 'DOUBLE' | 'BOOLEAN') {
    super()
    this.#type = type
    this.#values =
      type === 'INTEGER'
        ? new Int32Array(0)
        : type === 'DOUBLE'
          ? new Float64Array(0)
          : new Uint8Array(0)
  }

  reserve(rows: number): void {
    this.#values = grown(this.#values, rows)
    this.valid.reserve(rows)
  }

  set(row: number, value: number): void {
    this.#values[row] = value
    this.valid.set(row)
  }

  column(): ColumnData {
    return { type: this.#type, values: this.#values, valid: this.valid.bits } as ColumnData
  }
}

/** Integers of 64 bits, kept as two halves; exact up to 2^53. */
export class WideBuilder extends Nullable implements Builder {
  readonly #type: 'BIGINT' | 'TIMESTAMP'
  #halves = new Int32Array(0)

  constructor(type: 'BIGINT' | 'TIMESTAMP') {
    super()
    this.#type = type
  }

  reserve(rows: number): void {
    this.#halves = grown(this.#halves, rows * 2)
    this.valid.reserve(rows)
  }

  set(row: number, value: number): void {
    this.#halves[row * 2] = value
    this.#halves[row * 2 + 1] = Math.floor(value / 2 ** 32)
    this.valid.set(row)
  }

  /** The value of a row that has one. */
  at(row: number): number {
    return this.#halves[row * 2 + 1]! * 2 ** 32 + (this.#halves[row * 2]! >>> 0)
  }

  column(): ColumnData {
    return { type: this.#type, values: this.#halves, valid: this.valid.bits }
  }
}

/** Strings that repeat, by code. Several builders (one a partition) share one dictionary. */
export class WordBuilder extends Nullable implements Builder {
  readonly dictionary: Dictionary
  #codes = new Int32Array(0)

  constructor(dictionary: Dictionary) {
    super()
    this.dictionary = dictionary
  }

  reserve(rows: number): void {
    this.#codes = grown(this.#codes, rows)
    this.valid.reserve(rows)
  }

  set(row: number, code: number): void {
    this.#codes[row] = code
    this.valid.set(row)
  }

  /** Codes with an empty dictionary: the batch puts the shared, sorted one in. */
  column(): Extract<ColumnData, { type: 'ENUM' }> {
    const dictionary = { values: [], rank: new Int32Array(0) }
    return { type: 'ENUM', codes: this.#codes, dictionary, valid: this.valid.bits }
  }
}

/** Strings that are mostly unique: bytes in a heap. */
export class TextBuilder extends Nullable implements Builder {
  readonly #heap = new Heap()
  #starts = new Int32Array(0)
  #ends = new Int32Array(0)
  /** Rows below this one have their bounds written. */
  #written = 0

  reserve(rows: number): void {
    this.#starts = grown(this.#starts, rows)
    this.#ends = grown(this.#ends, rows)
    this.valid.reserve(rows)
  }

  set(row: number, bytes: Uint8Array, start: number, end: number): void {
    this.#fill(row)
    this.#starts[row] = this.#heap.length
    this.#heap.add(bytes, start, end)
    this.#ends[row] = this.#heap.length
    this.#written = Math.max(this.#written, row + 1)
    this.valid.set(row)
  }

  /** The same out of memory that can be read by words. @returns whether it is printable ASCII. */
  setFrom(row: number, memory: Memory, start: number, end: number): boolean {
    this.#fill(row)
    this.#starts[row] = this.#heap.length
    const isPlain = this.#heap.addFrom(memory, start, end)
    this.#ends[row] = this.#heap.length
    this.#written = Math.max(this.#written, row + 1)
    this.valid.set(row)
    return isPlain
  }

  /** Bytes as hexadecimal text. */
  setHex(row: number, bytes: Uint8Array, start: number, end: number): void {
    this.#fill(row)
    this.#starts[row] = this.#heap.length
    this.#heap.addHex(bytes, start, end)
    this.#ends[row] = this.#heap.length
    this.#written = Math.max(this.#written, row + 1)
    this.valid.set(row)
  }

  override reset(): void {
    super.reset()
    this.#heap.reset()
    this.#written = 0
  }

  override truncate(row: number, end: number): void {
    super.truncate(row, end)
    // Of several types of a union, the one that is read last may fill earlier rows.
    for (let at = row; at < this.#written; at++) {
      this.#heap.length = Math.min(this.#heap.length, this.#starts[at]!)
    }
    this.#written = Math.min(this.#written, row)
  }

  column(rows: number): ColumnData {
    this.#fill(rows)
    return { type: 'VARCHAR', text: this.#text(), valid: this.valid.bits }
  }

  /** Rows without a value get empty bounds at the heap's end, so that bounds only rise. */
  #fill(to: number): void {
    for (; this.#written < to; this.#written++) {
      this.#starts[this.#written] = this.#ends[this.#written] = this.#heap.length
    }
  }

  #text(): TextHeap {
    return { heap: this.#heap.bytes, starts: this.#starts, ends: this.#ends }
  }
}
