import type { ListChunk } from '../lake/list-columns.ts'
import type { BinSum } from './quantiles.ts'

/** Histograms of rows as they came, where they lie, with the group of each. */
export class BinRows {
  #chunks: ListChunk[] = []
  /** By row: its group, its chunk, and its number in that. */
  #keys: number[] = []
  #chunkOf: number[] = []
  #rowOf: number[] = []
  /** Bins that are held. */
  size = 0

  /** Takes over what has bins: `lists` are bins and their counts. */
  push(chunk: ListChunk): void {
    const { rows, keys, lists } = chunk
    const { lengths, values } = lists[0]!
    const at = this.#chunks.push(chunk) - 1
    for (let row = 0; row < rows; row++) {
      if (lengths[row] === 0) continue
      this.#keys.push(keys[row]!)
      this.#chunkOf.push(at)
      this.#rowOf.push(row)
    }
    this.size += values.length
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
    const [bins, counts] = this.#chunks[this.#chunkOf[row]!]!.lists
    const at = this.#rowOf[row]!
    sum.addBins(
      { bins: bins!.values, counts: counts!.values },
      bins!.starts[at]!,
      counts!.starts[at]!,
      bins!.lengths[at]!
    )
  }

  clear(): void {
    this.#chunks = []
    this.#keys = []
    this.#chunkOf = []
    this.#rowOf = []
    this.size = 0
  }
}
