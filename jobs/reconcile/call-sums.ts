/**
 * Finds the few calls whose token vectors add up to a given vector: then these calls, and no
 * others, are what a bill misses or has twice. Sums of one to four are tried by hashing sums of
 * two; a match on all classes at once is no accident when the counts are large.
 */

/** Sums of two are quadratic: above this many calls the search would take longer than it helps. */
const CALLS_MAX = 1500
/** A sum that chance would meet more often than this proves nothing. */
const CHANCE_MAX = 0.01

export type Vector = readonly number[]

const add = (left: Vector, right: Vector): number[] =>
  left.map((value, index) => value + (right[index] ?? 0))
const keyOf = (vector: Vector): string => vector.join(' ')
const minus = (left: Vector, right: Vector): number[] =>
  left.map((value, index) => value - (right[index] ?? 0))

/** Indexes of the calls that add up to `target`, or null when none do or chance would. */
export const callsThatSumTo = (target: Vector, calls: readonly Vector[]): number[] | null => {
  if (calls.length > CALLS_MAX || target.every((value) => value === 0)) return null
  if (target.some((value) => value < 0)) return null
  const fitting = calls
    .map((vector, index) => ({ vector, index }))
    .filter(({ vector }) => vector.every((value, at) => value <= (target[at] ?? 0)))
  const single = fitting.find(({ vector }) => keyOf(vector) === keyOf(target))
  const found = single === undefined ? pairsThatSum(target, fitting) : [single.index]
  if (found === null || chanceOf(found.length, fitting) > CHANCE_MAX) return null
  return found
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

type Entry = { vector: Vector; index: number }

const pairsThatSum = (target: Vector, fitting: readonly Entry[]): number[] | null => {
  const pairs = new Map<string, [number, number]>()
  const sums: { sum: number[]; pair: [number, number] }[] = []
  for (let left = 0; left < fitting.length; left += 1) {
    for (let right = left + 1; right < fitting.length; right += 1) {
      const [one, two] = [fitting[left], fitting[right]]
      if (one === undefined || two === undefined) continue
      const sum = add(one.vector, two.vector)
      if (sum.some((value, at) => value > (target[at] ?? 0))) continue
      const pair: [number, number] = [one.index, two.index]
      pairs.set(keyOf(sum), pair)
      sums.push({ sum, pair })
    }
  }
  const exact = pairs.get(keyOf(target))
  return exact ?? triples(target, fitting, pairs) ?? quadruples(target, sums, pairs)
}

const triples = (
  target: Vector,
  fitting: readonly Entry[],
  pairs: ReadonlyMap<string, [number, number]>
): number[] | null => {
  for (const { vector, index } of fitting) {
    const pair = pairs.get(keyOf(minus(target, vector)))
    if (pair !== undefined && !pair.includes(index)) return [...pair, index]
  }
  return null
}

const quadruples = (
  target: Vector,
  sums: readonly { sum: Vector; pair: [number, number] }[],
  pairs: ReadonlyMap<string, [number, number]>
): number[] | null => {
  for (const { sum, pair } of sums) {
    const other = pairs.get(keyOf(minus(target, sum)))
    if (other !== undefined && !other.some((index) => pair.includes(index)))
      return [...pair, ...other]
  }
  return null
}
