import { observeRate, type Outcome, type RateSettings } from '../statistics/rate-detector.ts'
import { D, RATE_SHAPE, type Sample } from '../statistics/rate-record.ts'
import { SUMS, type SeriesState } from './series.ts'

/** Judges the gathered minute: which rates fell or came back, and which are no longer reported. */

/** What a minute did to one series. */
export type SeriesEvent = {
  slot: number
  outcome: Exclude<Outcome, 'nothing'> | 'silent' | 'speaking'
}

const PPM = 1_000_000
/** Minutes in a row without any reported cache read, after which the loss is told. */
const SILENT_WINDOWS = 10
const SAMPLE: Sample = { n: 0, w: 0, h: 0, ww: 0, x: 0, cost: 0 }

/** Judges every series that had rows, and clears the minute. */
export const judgeMinute = (
  state: SeriesState,
  ms: number,
  settings: (slot: number) => RateSettings
): SeriesEvent[] => {
  const { sums, touched } = state.scratch
  const events: SeriesEvent[] = []
  for (const slot of touched) {
    const at = slot * SUMS
    const told = followReporting(state, slot)
    if (told !== null) events.push({ slot, outcome: told })
    if (sums[at]! > 0 && sums[at + 1]! > 0) {
      const outcome = judgeSeries(state, slot, ms, settings(slot))
      if (outcome !== 'nothing') events.push({ slot, outcome })
    }
    sums.fill(0, at, at + SUMS)
  }
  touched.length = 0
  return events
}

const judgeSeries = (
  state: SeriesState,
  slot: number,
  ms: number,
  settings: RateSettings
): Outcome => {
  const { records, days, scratch } = state
  const at = slot * SUMS
  const d = records.doubles
  const record = slot * RATE_SHAPE.doubles
  SAMPLE.n = scratch.sums[at]!
  SAMPLE.w = scratch.sums[at + 1]!
  SAMPLE.h = scratch.sums[at + 2]!
  SAMPLE.ww = scratch.sums[at + 3]!
  SAMPLE.x = scratch.sums[at + 4]! / PPM
  SAMPLE.cost = scratch.sums[at + 7]!
  if (SAMPLE.h > 0) d[record + D.lastHitMs] = ms
  if (scratch.sums[at + 6]! > 0) d[record + D.lastWriteMs] = ms
  return observeRate(records, slot, { sample: SAMPLE, ms, days }, settings)
}

/** Cache reads that are no longer reported are a loss of sight, not a loss of hits. */
const followReporting = (state: SeriesState, slot: number): 'silent' | 'speaking' | null => {
  const { records, scratch, names } = state
  if (names[slot]!.level !== 'tenant') return null
  const d = records.doubles
  const record = slot * RATE_SHAPE.doubles
  if (scratch.sums[slot * SUMS]! > 0) {
    const silent = d[record + D.silentWindows]! >= SILENT_WINDOWS
    d[record + D.silentWindows] = 0
    return silent && d[record + D.windows]! > 0 ? 'speaking' : null
  }
  d[record + D.silentWindows]! += 1
  const told = d[record + D.silentWindows]! === SILENT_WINDOWS
  return told && d[record + D.windows]! >= SILENT_WINDOWS ? 'silent' : null
}
