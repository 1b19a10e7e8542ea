import { binValue } from '../../schemas/histogram.ts'
import type { ListChunk } from '../lake/list-columns.ts'
import { BinRows } from './bin-rows.ts'

/**
 * Quantiles of merged histograms. The database hands over the bins as they lie and they are added
 * up here: it would hash each of them by its group, which takes four times as long.
 */

/** Counts of a group by bin, for the stretch of bins that it has. */
export type Merged = { lowest: number; counts: Float64Array }

/** So many bins are held until they are added up: 40 MiB. */
const BINS_AT_ONCE_MAX = 4 << 20

/** Adds up the bins and counts of the rows of each group. */
export const mergeBins = async (
  chunks: AsyncIterable<ListChunk>,
  binsAtOnceMax = BINS_AT_ONCE_MAX
): Promise<Map<number, Merged>> => {
  const groups = new Map<number, Merged>()
  const sum = new BinSum()
  const rows = new BinRows()
  const addUp = (): void => {
    // Group by group: one sum stays at hand, where thousands side by side would be fetched bin by bin.
    for (const [key, members] of rows.byGroup()) {
      const known = groups.get(key)
      if (known !== undefined) sum.add(known)
      for (const row of members) rows.addTo(sum, row)
      groups.set(key, sum.take())
    }
    rows.clear()
  }
  for await (const chunk of chunks) {
    rows.push(chunk)
    if (rows.size >= binsAtOnceMax) addUp()
  }
  addUp()
  return groups
}

/** Groups put together. */
export const wholeOf = (groups: Iterable<Merged>): Merged => {
  const sum = new BinSum()
  for (const group of groups) sum.add(group)
  return sum.take()
}

type Lists = { bins: Numbers; counts: Numbers }
type Numbers = Int16Array | Float64Array

const BIN_LEAST = -(1 << 15)
const BIN_COUNT = 1 << 16

/** Sums that share an array: one for each would take longer to make than to fill. */
const SLAB_COUNTS = 1 << 16

/** One sum over every bin that a SMALLINT can name. */
export class BinSum {
  readonly #counts = new Float64Array(BIN_COUNT)
  #slab = new Float64Array(SLAB_COUNTS)
  #used = 0
  #from = BIN_COUNT
  #to = 0

  add({ lowest, counts }: Merged): void {
    if (counts.length === 0) return
    const [sums, from] = [this.#counts, lowest - BIN_LEAST]
    for (let at = 0; at < counts.length; at++) sums[from + at]! += counts[at]!
    this.#cover(from, from + counts.length)
  }

  /** Adds `length` bins, which begin at `bin`, and their counts, which begin at `count`. */
  addBins({ bins, counts }: Lists, bin: number, count: number, length: number): void {
    const sums = this.#counts
    let least = BIN_COUNT
    let most = -1
    for (let index = 0; index < length; index++) {
      const at = bins[bin + index]! - BIN_LEAST
      if (at < least) least = at
      if (at > most) most = at
      sums[at]! += counts[count + index]!
    }
    this.#cover(least, most + 1)
  }

  #cover(from: number, to: number): void {
    this.#from = Math.min(this.#from, from)
    this.#to = Math.max(this.#to, to)
  }

  /** What was added up; the next sum begins at nothing. */
  take(): Merged {
    const [from, to] = [Math.min(this.#from, this.#to), this.#to]
    const counts = this.#room(to - from)
    counts.set(this.#counts.subarray(from, to))
    this.#counts.fill(0, from, to)
    this.#from = BIN_COUNT
    this.#to = 0
    return { lowest: from + BIN_LEAST, counts }
  }

  #room(length: number): Float64Array {
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Float64Array(Math.max(SLAB_COUNTS, length))
      this.#used = 0
    }
    this.#used += length
    return this.#slab.subarray(this.#used - length, this.#used)
  }
}

/**
 * Value below or at which `percent` of all counts lie, by the first bin that reaches them; null
 * without counts. In whole numbers, so that it is the bin that SQL finds.
 */
export const quantileOf = ({ lowest, counts }: Merged, percent: number): number | null => {
  let total = 0
  for (const count of counts) total += count
  if (total === 0) return null
  let at = 0
  for (let upto = counts[0]!; upto * 100 < percent * total; upto += counts[at]!) at++
  return binValue(lowest + at)
}
