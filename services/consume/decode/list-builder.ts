import type { ColumnData } from '../../lake/columns.ts'
import { Nullable, type Builder } from './builders.ts'
import { grown } from './grown.ts'
import { Heap } from './heap.ts'

/** Lists of strings or of doubles: each row is a stretch of items. */
export class ListBuilder extends Nullable implements Builder {
  readonly #type: 'VARCHAR[]' | 'DOUBLE[]'
  readonly #heap = new Heap()
  #firsts = new Int32Array(0)
  #lengths = new Int32Array(0)
  #starts = new Int32Array(0)
  #ends = new Int32Array(0)
  #numbers = new Float64Array(0)
  #items = 0
  #written = 0

  constructor(type: 'VARCHAR[]' | 'DOUBLE[]') {
    super()
    this.#type = type
  }

  reserve(rows: number): void {
    this.#firsts = grown(this.#firsts, rows)
    this.#lengths = grown(this.#lengths, rows)
    this.valid.reserve(rows)
  }

  /** Begins the list of `row`; items follow by `addText` or `addNumber`. */
  begin(row: number): void {
    this.#fill(row)
    this.#firsts[row] = this.#items
    this.#lengths[row] = 0
    this.#written = row + 1
    this.valid.set(row)
  }

  addText(row: number, bytes: Uint8Array, start: number, end: number): void {
    const item = this.#items++
    this.#starts = grown(this.#starts, doubled(this.#starts.length, item + 1))
    this.#ends = grown(this.#ends, this.#starts.length)
    this.#starts[item] = this.#heap.length
    this.#heap.add(bytes, start, end)
    this.#ends[item] = this.#heap.length
    this.#lengths[row]!++
  }

  addNumber(row: number, value: number): void {
    const item = this.#items++
    this.#numbers = grown(this.#numbers, doubled(this.#numbers.length, item + 1))
    this.#numbers[item] = value
    this.#lengths[row]!++
  }

  override reset(): void {
    super.reset()
    this.#heap.reset()
    this.#items = 0
    this.#written = 0
  }

  override truncate(row: number, end: number): void {
    super.truncate(row, end)
    if (this.#written <= row) return
    this.#items = this.#firsts[row]!
    this.#heap.length = this.#items === 0 ? 0 : (this.#ends[this.#items - 1] ?? 0)
    this.#written = row
  }

  column(rows: number): ColumnData {
    this.#fill(rows)
    const { bits: valid } = this.valid
    const firsts = this.#firsts
    const lengths = this.#lengths
    if (this.#type === 'DOUBLE[]') {
      return { type: 'DOUBLE[]', firsts, lengths, items: this.#numbers, valid }
    }
    const items = { heap: this.#heap.bytes, starts: this.#starts, ends: this.#ends }
    return { type: 'VARCHAR[]', firsts, lengths, items, valid }
  }

  #fill(to: number): void {
    for (; this.#written < to; this.#written++) {
      this.#firsts[this.#written] = this.#items
      this.#lengths[this.#written] = 0
    }
  }
}

const doubled = (length: number, needed: number): number =>
  needed <= length ? length : Math.max(needed, length * 2, 64)
