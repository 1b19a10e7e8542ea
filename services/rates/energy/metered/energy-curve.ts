import { Failure } from '../../../../schemas/failure.ts'
import { findGpu } from '../gpu.ts'
import {
  BOARD_WATTS_MAX,
  boardWattsMax,
  energyUnitByRate,
  POWER_WATTS_MIN,
  type MeterReading
} from './meter-reading.ts'

/**
 * What one GPU drew over time: consecutive segments with whole microjoules. A long silence of a
 * counter keeps its energy but not its course (`dark`); a reset, or a jump beyond what the board may
 * draw, loses both and is no segment at all.
 */
export type EnergySegment = {
  fromMs: number
  toMs: number
  microjoules: number
  /** The segment spans a silence: the energy is true, its place in time is not. */
  dark: boolean
}

export type EnergyCurve = {
  segments: readonly EnergySegment[]
  /** Energy from the first reading to the start of each segment, and to the end of the last. */
  cumulated: readonly number[]
  /** Spans whose energy a counter lost: it was reset, or jumped beyond what the board may draw. */
  lost: readonly LostSpan[]
}

export type LostSpan = { fromMs: number; toMs: number; why: 'reset' | 'jump' }

const MICROJOULES: Readonly<Record<'J' | 'mJ', number>> = { J: 1e6, mJ: 1e3 }
const WATTS = { W: 1, mW: 1e-3 } as const
/** A gap between readings is a silence above this many usual periods: one lost scrape is none. */
const SILENCE_PERIODS = 2.5

/**
 * Builds the curve of one GPU from readings in any order, with repeats. A counter is preferred over
 * power, which is integrated by trapezoids. Throws E_FACTOR_TABLE where the counter's unit can not
 * be told, or where power is told in another unit than its name says.
 */
export const energyCurve = (
  readings: readonly MeterReading[],
  powerWattsMax: number | null = null
): EnergyCurve => {
  const counters = distinct(readings.filter(({ kind }) => kind === 'energy'))
  const power = distinct(readings.filter(({ kind }) => kind === 'power'))
  if (counters.length < 2) return curveOf(plausible(power, powerWattsMax))
  const scales = counterScales(counters, powerWattsMax)
  return curveOf(counters, { scales, wattsMax: wattsMaxOf(counters, powerWattsMax) })
}

// Copies of one reading carry one value; should they differ, the largest is taken, in any order.
// While an exporter is upgraded both its names may be there: the one that tells its unit is taken.
const distinct = (readings: readonly MeterReading[]): MeterReading[] => {
  const byTime = new Map<number, MeterReading>()
  for (const reading of readings) {
    const known = byTime.get(reading.timeMs)
    if (known === undefined || isBetter(reading, known)) byTime.set(reading.timeMs, reading)
  }
  return [...byTime.values()].sort((a, b) => a.timeMs - b.timeMs)
}

const isBetter = (reading: MeterReading, known: MeterReading): boolean =>
  reading.unit === known.unit
    ? reading.value > known.value
    : (reading.unit ?? '~') < (known.unit ?? '~')

/** What the board may draw at most; of one whose model is not told, what none does. */
const wattsMaxOf = (readings: readonly MeterReading[], powerWattsMax: number | null): number => {
  const model = readings.find(({ gpuModel }) => findGpu(gpuModel) !== null)?.gpuModel
  const isKnown = model !== undefined || powerWattsMax !== null
  return isKnown ? boardWattsMax(model, powerWattsMax) : BOARD_WATTS_MAX
}

/** Readings that the board may draw; the others are spikes of a gauge, and missing. */
const plausible = (
  power: readonly MeterReading[],
  powerWattsMax: number | null
): readonly MeterReading[] => {
  const top = wattsMaxOf(power, powerWattsMax)
  const fitting = power.filter((reading) => wattsOf(reading) <= top)
  const highest = power.reduce((most, reading) => Math.max(most, wattsOf(reading)), 0)
  if (fitting.length * 2 < power.length) throw otherUnit(power, `up to ${highest} W`, top)
  if (isLong(power) && highest > 0 && highest < POWER_WATTS_MIN) {
    throw otherUnit(power, `at most ${highest} W`, top)
  }
  return fitting
}

/** A counter steps each tenth of a second; over less than this its rate says little of its unit. */
const RATE_SPAN_MS_MIN = 60_000

const isLong = (readings: readonly MeterReading[]): boolean =>
  (readings.at(-1)?.timeMs ?? 0) - (readings[0]?.timeMs ?? 0) >= RATE_SPAN_MS_MIN

const otherUnit = ([first]: readonly MeterReading[], seen: string, top: number): Failure =>
  new Failure(
    'E_FACTOR_TABLE',
    `${first?.kind} of ${first?.gpu} on ${first?.host} reads ${seen}, and a board like it draws ` +
      `${POWER_WATTS_MIN} to ${top} W`,
    { hint: `Is it in ${first?.unit ?? 'the unit that it says'}? Give the unit that it counts in.` }
  )

const wattsOf = ({ unit, value }: MeterReading): number => value * WATTS[unit === 'mW' ? 'mW' : 'W']

type Scales = ReadonlyMap<MeterReading['unit'], number>

// One scale per unit that names tell, and one for all readings whose name tells none.
const counterScales = (counters: readonly MeterReading[], powerWattsMax: number | null): Scales => {
  const units = [...new Set(counters.map(({ unit }) => unit))]
  return new Map(
    units.map((unit) => {
      if (unit === 'J' || unit === 'mJ') return [unit, MICROJOULES[unit]]
      const own = counters.filter((reading) => reading.unit === unit)
      return [unit, MICROJOULES[unitByRate(own, powerWattsMax)]]
    })
  )
}

const unitByRate = (
  counters: readonly MeterReading[],
  powerWattsMax: number | null
): 'J' | 'mJ' => {
  const unit = energyUnitByRate(counters, powerWattsMax)
  if (unit !== null) return unit
  throw new Failure('E_FACTOR_TABLE', `unit of the energy counter of ${counters[0]?.gpu} unclear`, {
    hint: 'Give the power limit of the GPU, or use a meter whose name tells its unit.'
  })
}

type Counting = { scales: Scales; wattsMax: number }

const curveOf = (
  readings: readonly MeterReading[],
  counting: Counting | null = null
): EnergyCurve => {
  const period = usualPeriodMs(readings)
  const segments: EnergySegment[] = []
  const cumulated = [0]
  const lost: LostSpan[] = []
  for (const [index, to] of readings.entries()) {
    const from = readings[index - 1]
    if (from === undefined) continue
    const why = counting === null ? null : lossOf(from, to, counting)
    if (why !== null) {
      lost.push({ fromMs: from.timeMs, toMs: to.timeMs, why })
      continue
    }
    const dark = to.timeMs - from.timeMs > SILENCE_PERIODS * period
    const microjoules = drawn(from, to, { scale: counting?.scales.get(to.unit) ?? null, dark })
    if (microjoules === null) continue
    segments.push({ fromMs: from.timeMs, toMs: to.timeMs, microjoules, dark })
    cumulated.push((cumulated.at(-1) ?? 0) + microjoules)
  }
  const jumps = lost.filter(({ why }) => why === 'jump').length
  if (counting !== null) assertCounted(readings, { segments, jumps, ...counting })
  return { segments, cumulated, lost }
}

/** Why nobody knows what was drawn between two readings of a counter. */
const lossOf = (
  from: MeterReading,
  to: MeterReading,
  { scales, wattsMax }: Counting
): LostSpan['why'] | null => {
  // Also where it goes on under another unit.
  if (to.value < from.value || to.unit !== from.unit) return 'reset'
  const most = wattsMax * (to.timeMs - from.timeMs + STEP_MS) * 1e3
  return (to.value - from.value) * (scales.get(to.unit) ?? 0) > most ? 'jump' : null
}

/** A counter that steps late tells what was drawn before as well. */
const STEP_MS = 200

type Counted = Counting & { segments: readonly EnergySegment[]; jumps: number }

/** A jump here and there is a glitch; where most spans are one, or none draws anything, the unit is. */
const assertCounted = (
  readings: readonly MeterReading[],
  { segments, jumps, wattsMax }: Counted
): void => {
  if (jumps > segments.length) throw otherUnit(readings, `more than ${wattsMax} W`, wattsMax)
  const [joules, ms] = segments.reduce(
    ([sum, span], { microjoules, fromMs, toMs }) => [sum + microjoules / 1e6, span + toMs - fromMs],
    [0, 0]
  )
  const watts = (joules * 1000) / ms
  if (ms < RATE_SPAN_MS_MIN || joules === 0 || watts >= POWER_WATTS_MIN) return
  throw otherUnit(readings, `${Number(watts.toPrecision(2))} W on average`, wattsMax)
}

type Drawing = { scale: number | null; dark: boolean }

// Null across a silence of a power gauge, of which nothing is known.
const drawn = (from: MeterReading, to: MeterReading, { scale, dark }: Drawing): number | null => {
  if (scale !== null) return Math.round((to.value - from.value) * scale)
  if (dark) return null
  const seconds = (to.timeMs - from.timeMs) / 1000
  return Math.round(((wattsOf(from) + wattsOf(to)) / 2) * seconds * 1e6)
}

const usualPeriodMs = (readings: readonly MeterReading[]): number => {
  const gaps = readings
    .slice(1)
    .map((reading, index) => reading.timeMs - (readings[index]?.timeMs ?? 0))
    .sort((a, b) => a - b)
  return gaps[Math.floor(gaps.length / 2)] ?? 0
}

/** Energy up to a moment, whole microjoules: windows telescope to the total without a remainder. */
const cumulatedAt = ({ segments, cumulated }: EnergyCurve, timeMs: number): number => {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((segments[middle]?.toMs ?? 0) <= timeMs) low = middle + 1
    else high = middle
  }
  const segment = segments[low]
  const before = cumulated[low] ?? 0
  if (segment === undefined || timeMs <= segment.fromMs) return before
  const share = (timeMs - segment.fromMs) / (segment.toMs - segment.fromMs)
  return before + Math.round(segment.microjoules * share)
}

/** Microjoules drawn in a span of time. */
export const microjoulesBetween = (curve: EnergyCurve, fromMs: number, toMs: number): number =>
  cumulatedAt(curve, toMs) - cumulatedAt(curve, fromMs)

/** Share of a span in which the course of the energy is known. */
export const coverageBetween = (curve: EnergyCurve, fromMs: number, toMs: number): number => {
  let known = 0
  for (const { fromMs: start, toMs: end, dark } of curve.segments) {
    if (dark || end <= fromMs || start >= toMs) continue
    known += Math.min(end, toMs) - Math.max(start, fromMs)
  }
  return known / (toMs - fromMs)
}
