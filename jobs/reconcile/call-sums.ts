/**
 * Finds the few calls whose token vectors add up to a given vector: then these calls, and no
 * others, are what a bill misses or has twice. Sums of one to four are tried; a match on all
 * classes at once is no accident when the counts are large.
 */

/** Sums of two are quadratic: above this many calls the search would take longer than it helps. */
const CALLS_MAX = 1500
/** A sum that chance would meet more often than this proves nothing. */
const CHANCE_MAX = 0.01
/** Weights of the classes in a sum that stands for a vector: primes, so that few vectors share one. */
const WEIGHTS = [1, 1_000_003, 2_000_029, 3_000_017]

export type Vector = readonly number[]

/** `key` is linear: the key of a sum is the sum of the keys. */
type Entry = { vector: Vector; index: number; key: number }

const keyOf = (vector: Vector): number =>
  vector.reduce((sum, value, at) => sum + value * (WEIGHTS[at] ?? 1), 0)

/** Indexes of the calls that add up to `target`, or null when none do or chance would. */
export const callsThatSumTo = (target: Vector, calls: readonly Vector[]): number[] | null => {
  if (calls.length > CALLS_MAX || target.every((value) => value === 0)) return null
  if (target.some((value) => value < 0)) return null
  const fitting = calls
    .map((vector, index) => ({ vector, index, key: keyOf(vector) }))
    .filter(({ vector }) => vector.every((value, at) => value <= (target[at] ?? 0)))
  const search = { target, fitting, key: keyOf(target), byKey: byKey(fitting) }
  for (const [at, find] of [single, pair, triple, quadruple].entries()) {
    if (chanceOf(at + 1, fitting) > CHANCE_MAX) return null
    const found = find(search)
    if (found !== null) return found.map(({ index }) => index)
  }
  return null
}

type Search = {
  target: Vector
  fitting: readonly Entry[]
  key: number
  byKey: ReadonlyMap<number, Entry>
}

const byKey = (entries: readonly Entry[]): Map<number, Entry> =>
  new Map(entries.map((entry) => [entry.key, entry]))

/** Entries that are apart and do sum to the target, not only by their keys. */
const proved = ({ target }: Search, entries: readonly (Entry | undefined)[]): Entry[] | null => {
  const known = entries.filter((entry) => entry !== undefined)
  const isApart = new Set(known).size === entries.length
  const isSum = target.every(
    (value, at) => known.reduce((sum, { vector }) => sum + (vector[at] ?? 0), 0) === value
  )
  return isApart && isSum ? known : null
}

const single = (search: Search): Entry[] | null => proved(search, [search.byKey.get(search.key)])

const pair = (search: Search): Entry[] | null => {
  for (const one of search.fitting) {
    const other = search.byKey.get(search.key - one.key)
    const found = other === undefined ? null : proved(search, [one, other])
    if (found !== null) return found
  }
  return null
}

/** Calls every two that may stand in the sum together. */
const eachTwo = (
  { target, fitting }: Search,
  visit: (one: Entry, other: Entry) => Entry[] | null
): Entry[] | null => {
  for (let left = 0; left < fitting.length; left += 1) {
    for (let right = left + 1; right < fitting.length; right += 1) {
      const [one, other] = [fitting[left], fitting[right]]
      if (one === undefined || other === undefined) continue
      if (target.some((value, at) => (one.vector[at] ?? 0) + (other.vector[at] ?? 0) > value))
        continue
      const found = visit(one, other)
      if (found !== null) return found
    }
  }
  return null
}

const triple = (search: Search): Entry[] | null =>
  eachTwo(search, (one, other) => {
    const third = search.byKey.get(search.key - one.key - other.key)
    return third === undefined ? null : proved(search, [one, other, third])
  })

const quadruple = (search: Search): Entry[] | null => {
  const pairs = new Map<number, [Entry, Entry]>()
  return eachTwo(search, (one, other) => {
    const sum = one.key + other.key
    const rest = pairs.get(search.key - sum)
    pairs.set(sum, [one, other])
    return rest === undefined ? null : proved(search, [one, other, ...rest])
  })
}

/** Sums of so many calls that would hit a given vector by accident, roughly. */
const chanceOf = (count: number, fitting: readonly Entry[]): number => {
  let sums = 1
  for (let k = 0; k < count; k += 1) sums *= (fitting.length - k) / (k + 1)
  const [first] = fitting
  const room = (first?.vector ?? []).map((_, at) => {
    const values = fitting.map(({ vector }) => vector[at] ?? 0)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    return Math.max(1, Math.sqrt(2 * Math.PI * variance * count))
  })
  return sums / room.reduce((product, value) => product * value, 1)
}
