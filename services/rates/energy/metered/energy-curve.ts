import { Failure } from '../../../../schemas/failure.ts'
import { findGpu } from '../gpu.ts'
import { boardWattsMax, energyUnitByRate, type MeterReading } from './meter-reading.ts'

/**
 * What one GPU drew over time: consecutive segments with whole microjoules. A long silence of a
 * counter keeps its energy but not its course (`dark`); a reset loses both and is no segment at all.
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
  resets: number
}

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
  return curveOf(counters, counterScales(counters, powerWattsMax))
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

/** Readings that a board of its model may draw; the others are spikes of a gauge, and missing. */
const plausible = (
  power: readonly MeterReading[],
  powerWattsMax: number | null
): readonly MeterReading[] => {
  // Of a board whose model is not told nothing is known that a reading could be held against.
  const model = power.find(({ gpuModel }) => findGpu(gpuModel) !== null)?.gpuModel
  if (model === undefined && powerWattsMax === null) return power
  const top = boardWattsMax(model, powerWattsMax)
  const fitting = power.filter((reading) => wattsOf(reading) <= top)
  if (fitting.length * 2 >= power.length) return fitting
  const highest = Math.max(...power.map(wattsOf))
  throw new Failure(
    'E_FACTOR_TABLE',
    `power of ${power[0]?.gpu} reads up to ${highest} W, and a board like it draws at most ${top} W`,
    { hint: 'Give a meter whose name tells its unit, such as one in milliwatts.' }
  )
}

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

const curveOf = (readings: readonly MeterReading[], scales: Scales | null = null): EnergyCurve => {
  const period = usualPeriodMs(readings)
  const segments: EnergySegment[] = []
  const cumulated = [0]
  let resets = 0
  for (const [index, to] of readings.entries()) {
    const from = readings[index - 1]
    if (from === undefined) continue
    const dark = to.timeMs - from.timeMs > SILENCE_PERIODS * period
    const reset = scales !== null && (to.value < from.value || to.unit !== from.unit)
    if (reset) resets += 1
    const microjoules = reset
      ? null
      : drawn(from, to, { scale: scales?.get(to.unit) ?? null, dark })
    if (microjoules === null) continue
    segments.push({ fromMs: from.timeMs, toMs: to.timeMs, microjoules, dark })
    cumulated.push((cumulated.at(-1) ?? 0) + microjoules)
  }
  return { segments, cumulated, resets }
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
