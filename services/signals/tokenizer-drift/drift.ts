import { quantileInterval, type Sketch } from '../statistics/ratio-sketch.ts'
import { SHAPE, T, type SeriesState } from './series.ts'
import type { Settings } from './settings.ts'

/** The figures of a drift, in percent of the local count; positive = more was reported. */
export type Drift = {
  medianPct: number
  /** 95 % interval of the median, distribution-free. */
  lowPct: number
  highPct: number
}

const pct = (ratio: number): number => Math.round((ratio - 1) * 10_000) / 100

export const driftOf = (sketch: Sketch): Drift => {
  const { low, mid, high } = quantileInterval(sketch, 0.5)
  return { medianPct: pct(mid), lowPct: pct(low), highPct: pct(high) }
}

/** What to add to a local count so that nearly all calls stay within it. */
export const marginRatio = (sketch: Sketch, { marginQuantile }: Settings): number =>
  Math.max(1, quantileInterval(sketch, marginQuantile).high)

export const marginPct = (sketch: Sketch, settings: Settings): number =>
  pct(marginRatio(sketch, settings))

/** Sums since a series' last change, as a query over `from` gives them. */
export type Sums = {
  fromMs: number
  calls: number
  local: number
  reported: number
  extraPico: number
  /** Ratio of sums, with a 95 % interval by the linearised variance between calls. */
  ratioPct: number
  ratioLowPct: number
  ratioHighPct: number
}

const SD_95 = 1.96

/** Sums at `offset`: since the last change, or of what is recent. */
export const sumsOf = ({ records }: SeriesState, slot: number, offset: number = T.since): Sums => {
  const at = slot * SHAPE.doubles + offset
  const [fromMs, l, r, ll, rr, lr, extra, calls] = records.doubles.subarray(at, at + 8)
  const ratio = l! > 0 ? r! / l! : 1
  const square = Math.max(0, rr! - 2 * ratio * lr! + ratio * ratio * ll!)
  const error = l! > 0 ? (SD_95 * Math.sqrt(square)) / l! : 0
  return {
    fromMs: fromMs!,
    calls: calls!,
    local: l!,
    reported: r!,
    extraPico: extra!,
    ratioPct: pct(ratio),
    ratioLowPct: pct(ratio - error),
    ratioHighPct: pct(ratio + error)
  }
}
