/** Measures of two public benchmarks, as their authors define them. */

/** A stretch of points, both ends inside. */
export type LabelWindow = readonly [first: number, last: number]

export type WindowScore = { windows: number; found: number; falseAlarms: number; score: number }

/** Share of a series in which the Numenta benchmark counts nothing, and its cap in points. */
const PROBATION_SHARE = 0.15
const PROBATION_ROWS_MAX = 750
const FALSE_WEIGHT = 0.11
const SIGMOID_FACTOR = 5

export const probationOf = (rows: number): number =>
  Math.floor(PROBATION_SHARE * Math.min(rows, PROBATION_ROWS_MAX / PROBATION_SHARE))

const sigmoid = (x: number): number => (x > 3 ? -1 : 2 / (1 + Math.exp(SIGMOID_FACTOR * x)) - 1)

/**
 * Numenta Anomaly Benchmark, standard profile, for alarms that are given: early in a window counts
 * most, each alarm outside of windows costs, the further from the window before the more.
 */
export const scoreWindows = (
  alarms: readonly number[],
  windows: readonly LabelWindow[],
  rows: number
): WindowScore => {
  const counted = alarms.filter((alarm) => alarm >= probationOf(rows))
  let score = 0
  let found = 0
  for (const [first, last] of windows) {
    const alarm = counted.find((at) => at >= first && at <= last)
    if (alarm === undefined) {
      score -= 1
      continue
    }
    found += 1
    score += sigmoid(-(last - alarm + 1) / (last - first + 1)) / sigmoid(-1)
  }
  const outside = counted.filter(
    (at) => !windows.some(([first, last]) => at >= first && at <= last)
  )
  for (const at of outside) {
    const before = windows.filter(([, last]) => last < at).at(-1)
    const position = before === undefined ? Infinity : (at - before[1]) / (before[1] - before[0])
    score += FALSE_WEIGHT * sigmoid(position)
  }
  return { windows: windows.length, found, falseAlarms: outside.length, score }
}

/** Points by which an annotated and a found change may differ. */
const MARGIN = 5

/** How many of the true changes have a found one of their own within the margin. */
const matched = (truth: ReadonlySet<number>, found: ReadonlySet<number>): number => {
  const free = new Set(found)
  let hits = 0
  for (const at of [...truth].sort((a, b) => a - b)) {
    const near = [...free].filter((one) => Math.abs(one - at) <= MARGIN)
    if (near.length === 0) continue
    hits += 1
    free.delete(near.sort((a, b) => Math.abs(a - at) - Math.abs(b - at) || a - b)[0]!)
  }
  return hits
}

export type Annotations = Readonly<Record<string, readonly number[]>>

/** Turing change point data set: F1 with precision over all annotators together, recall by each. */
export const changeF1 = (annotations: Annotations, changes: readonly number[]): number => {
  const found = new Set([0, ...changes])
  const truths = Object.values(annotations).map((points) => new Set([0, ...points]))
  const all = new Set(truths.flatMap((points) => [...points]))
  const precision = matched(all, found) / found.size
  const recall =
    truths.reduce((sum, truth) => sum + matched(truth, found) / truth.size, 0) / truths.length
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0
}

const segments = (changes: readonly number[], rows: number): LabelWindow[] => {
  const inside = changes.filter((at) => at > 0 && at < rows).sort((a, b) => a - b)
  const edges = [0, ...inside, rows]
  return edges.slice(1).map((end, index) => [edges[index]!, end])
}

/** Turing change point data set: how well found segments cover annotated ones, mean of annotators. */
export const changeCover = (
  annotations: Annotations,
  changes: readonly number[],
  rows: number
): number => {
  const found = segments(changes, rows)
  const covers = Object.values(annotations).map((points) =>
    segments(points, rows).reduce((sum, [first, end]) => {
      const best = Math.max(
        ...found.map(([a, b]) => {
          const both = Math.max(0, Math.min(end, b) - Math.max(first, a))
          return both / (Math.max(end, b) - Math.min(first, a))
        })
      )
      return sum + ((end - first) * best) / rows
    }, 0)
  )
  return covers.reduce((sum, cover) => sum + cover, 0) / covers.length
}
