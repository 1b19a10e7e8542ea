import type { ListChunk } from '../lake/list-columns.ts'
import type { BinSum } from './quantiles.ts'

/** Histograms of rows as they came, with the group of each. */
export class BinRows {
  #keys: number[] = []
  #binStarts: number[] = []
  #countStarts: number[] = []
  #lengths: number[] = []
  readonly #bins = new Values(Int16Array)
  readonly #counts = new Values(Float64Array)

  /** Bins that are held. */
  get size(): number {
    return this.#bins.length
  }

  /** Takes over what has bins: `lists` are bins and their counts. */
  push({ rows, keys, lists }: ListChunk): void {
    const [bins, counts] = lists
    const [bin, count] = [this.#bins.push(bins!.values), this.#counts.push(counts!.values)]
    for (let row = 0; row < rows; row++) {
      if (bins!.lengths[row] === 0) continue
      this.#keys.push(keys[row]!)
      this.#binStarts.push(bin + bins!.starts[row]!)
      this.#countStarts.push(count + counts!.starts[row]!)
      this.#lengths.push(bins!.lengths[row]!)
    }
  }

  /** Numbers of the rows of each group. */
  byGroup(): Map<number, number[]> {
    const groups = new Map<number, number[]>()
    for (const [row, key] of this.#keys.entries()) {
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [row])
      else known.push(row)
    }
    return groups
  }

  addTo(sum: BinSum, row: number): void {
    const lists = { bins: this.#bins.array, counts: this.#counts.array }
    sum.addBins(lists, this.#binStarts[row]!, this.#countStarts[row]!, this.#lengths[row]!)
  }

  clear(): void {
    this.#keys = []
    this.#binStarts = []
    this.#countStarts = []
    this.#lengths = []
    this.#bins.length = 0
    this.#counts.length = 0
  }
}

const VALUES_START = 1 << 16

type Numbers = Int16Array<ArrayBuffer> | Float64Array<ArrayBuffer>

/** A growing array of numbers. */
class Values<Array extends Numbers> {
  array: Array
  length = 0
  readonly #kind: new (length: number) => Array

  constructor(kind: new (length: number) => Array) {
    this.#kind = kind
    this.array = new kind(VALUES_START)
  }

  /** Adds values at the end and says where they begin. */
  push(values: ArrayLike<number>): number {
    const from = this.length
    this.length += values.length
    if (this.length > this.array.length) {
      const wide = new this.#kind(Math.max(this.length, this.array.length * 2))
      wide.set(this.array.subarray(0, from))
      this.array = wide
    }
    this.array.set(values, from)
    return from
  }
}
