import type { Numbers, Ranged } from './answers.ts'

/** Steps of time as a chart draws them. */

export type Steps = {
  /** Length in seconds. */
  stepS: number
  /** Whether the range cuts the first step. */
  isFirstCut: boolean
  /** Whether the range cuts the last step, or it is not over yet. */
  isLastCut: boolean
}

type Stretch = { lake: Ranged['lake']; range: Pick<Ranged['range'], 'from' | 'to'> }

/** @param time starts of steps, seconds since the epoch */
export const stepsOf = (
  { lake, range }: Stretch,
  { step_s: stepS, time }: { step_s: number; time: readonly number[] }
): Steps => {
  const endMs = Math.min(Date.parse(range.to), Date.parse(lake.data_until ?? range.to))
  return {
    stepS,
    isFirstCut: (time[0] ?? Infinity) * 1000 < Date.parse(range.from),
    isLastCut: ((time.at(-1) ?? -Infinity) + stepS) * 1000 > endMs
  }
}

type Drawn<One> = { time: readonly number[]; lines: readonly One[] }

/** With the steps between that have no call: a line across them would hide that nothing came. */
export const withGaps = <One extends { values: Numbers }>(
  { time, lines }: Drawn<One>,
  stepS: number
): Drawn<One> => {
  const [first = 0] = time
  const at = new Map(time.map((one, index) => [one, index]))
  const steps = time.length === 0 ? 0 : Math.round((time.at(-1)! - first) / stepS) + 1
  const every = Array.from({ length: steps }, (_, step) => first + step * stepS)
  return {
    time: every,
    lines: lines.map((line) => ({
      ...line,
      values: every.map((one) => line.values[at.get(one) ?? -1] ?? null)
    }))
  }
}

/** Numbers of the steps that are cut. */
export const cutIn = (time: readonly number[], steps: Steps | undefined): number[] => [
  ...new Set([
    ...(steps?.isFirstCut === true ? [0] : []),
    ...(steps?.isLastCut === true ? [time.length - 1] : [])
  ])
]

/** Running sums of lines, the last on top; null where no line has a value. */
export const stacked = (lines: readonly { values: Numbers }[]): Numbers[] => {
  const columns = lines.map(({ values }) => values)
  const isKnown = (at: number): boolean => columns.some((values) => values[at] != null)
  let below: Numbers = []
  return columns.map(
    (values) =>
      (below = values.map((value, at) => (isKnown(at) ? (below[at] ?? 0) + (value ?? 0) : null)))
  )
}
