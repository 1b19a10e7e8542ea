import type { Desk } from './desk.ts'
import { HOUR_MS, MINUTES_RANGE_MS_MAX, type Range } from './range.ts'

/** Which steps of time a series has: the finest in which what there is to show can be read. */

/** Steps that people read clocks in, in seconds; each is a multiple of the one before. */
const STEPS_S = [60, 300, 900, 3600, 10_800, 21_600, 43_200, 86_400, 604_800]
/** Some pixels for each, in a chart that takes half of a screen. */
const POINTS = 200
/**
 * Longer stretches than `MINUTES_RANGE_MS_MAX` are read in less than hours only where they hold few
 * settled windows: these come from their files, hours from the cube. So many take 0.1 to 0.3 s.
 */
const WINDOWS_MAX = 100_000
const US_PER_MS = 1000

type Headed = Pick<Desk, 'head'>
type Stretch = Pick<Range, 'fromMs' | 'toMs'>

/** The finest step with no more points than asked for, in seconds. */
export const stepOf = (desk: Headed, stretch: Stretch, points = POINTS): number => {
  const lengthMs = stretch.toMs - stretch.fromMs
  const isShort = lengthMs <= MINUTES_RANGE_MS_MAX || windowsIn(desk, stretch) <= WINDOWS_MAX
  const leastS = Math.max(isShort ? 0 : HOUR_MS / 1000, lengthMs / 1000 / points)
  return STEPS_S.find((step) => step >= leastS) ?? STEPS_S.at(-1)!
}

/** Settled windows in the files that a stretch touches. */
const windowsIn = ({ head }: Headed, { fromMs, toMs }: Stretch): number =>
  [...(head.files.get('windows_settled')?.values() ?? [])]
    .filter(
      ({ timeUsMin, timeUsMax }) =>
        (timeUsMin ?? 0) < toMs * US_PER_MS && (timeUsMax ?? Infinity) >= fromMs * US_PER_MS
    )
    .reduce((sum, { rows }) => sum + rows, 0)

type Reading<Point> = {
  /** Points of a stretch in steps of so many seconds, by time. */
  read: (range: Range, stepS: number) => Promise<Point[]>
  /** Start of a point's step, seconds since the epoch. */
  startS: (point: Point) => number
}

/**
 * Reads a range in steps that follow the stretch that has data: two hours of a day are read again by
 * the minute. Each reading is of a shorter stretch than the one before.
 */
export const readInSteps = async <Point>(
  desk: Headed,
  range: Range,
  { read, startS }: Reading<Point>
): Promise<{ range: Range; stepS: number; points: Point[] }> => {
  const stepS = stepOf(desk, range)
  const points = await read(range, stepS)
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return { range, stepS, points }
  const stretch = {
    ...range,
    fromMs: Math.max(range.fromMs, startS(first) * 1000),
    toMs: Math.min(range.toMs, (startS(last) + stepS) * 1000)
  }
  return stepOf(desk, stretch) < stepS
    ? readInSteps(desk, stretch, { read, startS })
    : { range, stepS, points }
}
