import { L, SPLIT, SPLITS } from './level-record.ts'

/** The running segment of a series: its sums, and its sums at places where it may have changed. */

/** Points that a side of a change has at least: fewer are a spike. */
export const SIDE_POINTS_MIN = 6

/** Sums over neighbouring points; values count from the segment's origin, places from zero. */
export type Sums = {
  points: number
  sum: number
  squares: number
  /** Σ of products of neighbours. */
  products: number
  /** Σ of each value times its place. */
  byPlace: number
  first: number
  last: number
}

export const addPoint = (d: Float64Array, at: number, value: number): void => {
  const points = d[at + L.segmentPoints]!
  if (points === 0) {
    d[at + L.segmentOrigin] = value
    d[at + L.segmentFirst] = value
  }
  const x = value - d[at + L.segmentOrigin]!
  const previous = points === 0 ? 0 : d[at + L.last]! - d[at + L.segmentOrigin]!
  if (points >= SIDE_POINTS_MIN) keepSplit(d, at, [previous, x])
  d[at + L.segmentPoints] = points + 1
  d[at + L.sum]! += x
  d[at + L.sumSquares]! += x * x
  d[at + L.sumProducts]! += x * previous
  d[at + L.sumPlaces]! += x * points
  d[at + L.last] = value
}

/** Keeps the sums so far as a place to split; when full, the old places thin out. */
const keepSplit = (d: Float64Array, at: number, [before, after]: [number, number]): void => {
  if (d[at + L.splits]! === SPLITS) dropSplit(d, at)
  const split = at + L.split + d[at + L.splits]! * SPLIT
  d[split] = d[at + L.segmentPoints]!
  d[split + 1] = d[at + L.sum]!
  d[split + 2] = d[at + L.sumSquares]!
  d[split + 3] = d[at + L.sumProducts]!
  d[split + 4] = before
  d[split + 5] = after
  d[split + 6] = d[at + L.sumPlaces]!
  d[at + L.splits]! += 1
}

/** Recent places that are never dropped. */
const RECENT = 2 * SIDE_POINTS_MIN

/** Drops the place whose neighbours lie closest together, measured by their age. */
const dropSplit = (d: Float64Array, at: number): void => {
  const first = at + L.split
  const now = d[at + L.segmentPoints]!
  let best = 1
  let closest = Infinity
  for (let i = 1; i < SPLITS - RECENT; i++) {
    const gap = d[first + (i + 1) * SPLIT]! - d[first + (i - 1) * SPLIT]!
    const relative = gap / (now - d[first + i * SPLIT]! + 1)
    if (relative < closest) [closest, best] = [relative, i]
  }
  d.copyWithin(first + best * SPLIT, first + (best + 1) * SPLIT, first + SPLITS * SPLIT)
  d[at + L.splits]! -= 1
}

/** The whole segment. */
export const segmentOf = (d: Float64Array, at: number): Sums => ({
  points: d[at + L.segmentPoints]!,
  sum: d[at + L.sum]!,
  squares: d[at + L.sumSquares]!,
  products: d[at + L.sumProducts]!,
  byPlace: d[at + L.sumPlaces]!,
  first: d[at + L.segmentFirst]! - d[at + L.segmentOrigin]!,
  last: d[at + L.last]! - d[at + L.segmentOrigin]!
})

/** The segment before a place. */
export const before = (d: Float64Array, at: number, split: number): Sums => ({
  points: d[split]!,
  sum: d[split + 1]!,
  squares: d[split + 2]!,
  products: d[split + 3]!,
  byPlace: d[split + 6]!,
  first: d[at + L.segmentFirst]! - d[at + L.segmentOrigin]!,
  last: d[split + 4]!
})

/** What is left of sums from a place on, as if they had begun there. */
export const since = (d: Float64Array, split: number, sums: Sums): Sums => ({
  points: sums.points - d[split]!,
  sum: sums.sum - d[split + 1]!,
  squares: sums.squares - d[split + 2]!,
  products: sums.products - d[split + 3]! - d[split + 4]! * d[split + 5]!,
  // Places count from the new start: Σx·(i−k) over what is left.
  byPlace: sums.byPlace - d[split + 6]! - d[split]! * (sums.sum - d[split + 1]!),
  first: d[split + 5]!,
  last: sums.last
})

/**
 * The segment goes on from the split, and so do later places: a second change may already be among
 * them. Returns the index of the first point of what is left.
 */
export const restart = (d: Float64Array, at: number, split: number): number => {
  const left = since(d, split, segmentOf(d, at))
  const later = laterPlaces(d, at, split)
  d[at + L.segmentStart]! += d[split]!
  d[at + L.segmentPoints] = left.points
  d[at + L.sum] = left.sum
  d[at + L.sumSquares] = left.squares
  d[at + L.sumProducts] = left.products
  d[at + L.sumPlaces] = left.byPlace
  d[at + L.segmentFirst] = left.first + d[at + L.segmentOrigin]!
  d[at + L.splits] = later.length
  for (const [index, place] of later.entries()) d.set(place, at + L.split + index * SPLIT)
  return d[at + L.segmentStart]!
}

const laterPlaces = (d: Float64Array, at: number, split: number): number[][] => {
  const places: number[][] = []
  const end = at + L.split + d[at + L.splits]! * SPLIT
  for (let place = split + SPLIT; place < end; place += SPLIT) {
    if (d[place]! - d[split]! < SIDE_POINTS_MIN) continue
    const left = since(d, split, before(d, at, place))
    const { points, sum, squares, products, byPlace, last } = left
    places.push([points, sum, squares, products, last, d[place + 5]!, byPlace])
  }
  return places
}
