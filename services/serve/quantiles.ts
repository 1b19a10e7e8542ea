import { binValue } from '../../schemas/histogram.ts'
import type { ListChunk } from '../lake/list-columns.ts'

/**
 * Quantiles of merged histograms. The database hands over the bins as they lie and they are added
 * up here: it would hash each of them by its group, which takes four times as long.
 */

/** Counts of a group by bin, for the stretch of bins that it has. */
export type Merged = { lowest: number; counts: Float64Array }

/** Bins by which a stretch grows: neighbours are likely. */
const GROW_BINS = 64

/** Adds up `keys` (bins) and `values` (counts) of the rows of each group. */
export const mergeBins = async (chunks: AsyncIterable<ListChunk>): Promise<Map<number, Merged>> => {
  const groups = new Map<number, Merged>()
  for await (const { rows, keys, lists } of chunks) {
    const [bins, counts] = lists
    for (let row = 0; row < rows; row++) {
      const length = bins!.lengths[row]!
      if (length === 0) continue
      const group = groups.get(keys[row]!) ?? { lowest: 0, counts: new Float64Array(0) }
      groups.set(keys[row]!, group)
      const [bin, count] = [bins!.starts[row]!, counts!.starts[row]!]
      for (let at = 0; at < length; at++)
        add(group, bins!.values[bin + at]!, counts!.values[count + at]!)
    }
  }
  return groups
}

/** Groups put together. */
export const wholeOf = (groups: Iterable<Merged>): Merged => {
  const whole: Merged = { lowest: 0, counts: new Float64Array(0) }
  for (const { lowest, counts } of groups)
    for (const [at, count] of counts.entries()) if (count > 0) add(whole, lowest + at, count)
  return whole
}

const add = (group: Merged, bin: number, count: number): void => {
  const at = bin - group.lowest
  if (at >= 0 && at < group.counts.length) {
    group.counts[at]! += count
    return
  }
  grow(group, bin)
  group.counts[bin - group.lowest]! += count
}

const grow = (group: Merged, bin: number): void => {
  const { lowest, counts } = group
  const isEmpty = counts.length === 0
  const down = (at: number): number => Math.floor(at / GROW_BINS) * GROW_BINS
  const from = isEmpty ? down(bin) : Math.min(lowest, down(bin))
  const until = Math.max(isEmpty ? bin : lowest + counts.length, down(bin) + GROW_BINS)
  group.counts = new Float64Array(until - from)
  group.counts.set(counts, isEmpty ? 0 : lowest - from)
  group.lowest = from
}

/**
 * Value below or at which `percent` of all counts lie, by the first bin that reaches them; null
 * without counts. In whole numbers, so that it is the bin that SQL finds.
 */
export const quantileOf = ({ lowest, counts }: Merged, percent: number): number | null => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let upto = 0
  const at = counts.findIndex((count) => (upto += count) * 100 >= percent * total)
  return binValue(lowest + at)
}
