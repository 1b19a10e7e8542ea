import { clampRate, closeRateDay, expectedRate, isLearned, learnRate } from './baseline.ts'
import { closeErrorDay, dayVariance, learnDayError, MEAN } from './day-error.ts'
import {
  closeVarianceDay,
  initVariance,
  learnNeighbour,
  learnVariance,
  variance,
  VARIANCE_REQUEST_DEFAULT,
  winsorise
} from './effective-sample.ts'
import {
  addEvidence,
  clearEvidence,
  markRestarts,
  mixtureNats,
  recoveryNats,
  riseNats,
  strongestDrop,
  strongestNats,
  type Reading
} from './evidence.ts'
import { earliestSuspicion, markAnchor, oldestAnchor } from './rate-anchors.ts'
import { D, SNAPSHOT, STATISTICS, type Sample } from './rate-record.ts'
import { addRecord, type Records } from './records.ts'

/**
 * Watches many rate-like series for a lasting drop: baseline, effective sample size, evidence,
 * change point, recovery. One call per series and non-empty window; nothing else is remembered.
 */

export type RateSettings = {
  /** Evidence for an alarm once the baseline is learned, and while it is being learned. */
  alarmNats: number
  earlyAlarmNats: number
  /** Non-empty windows before a new series is judged at all. */
  armWindows: number
  /** Days of traffic before windows may count for more than one coin flip. */
  fullAfterDays: number
  /** Drops that are never worth a finding, in rate: over hours, and over minutes. */
  slowTolerance: number
  fastTolerance: number
  /** Fall in rate, after against before the change point, below which nothing is worth telling. */
  effectMin: number
  recoveryNats: number
  /** An incident this old is the new normal. */
  acceptAfterDays: number
}

/** What a window did to a series. */
export type Outcome = 'nothing' | 'opened' | 'resolved' | 'accepted'

/** Evidence above which a window teaches the baseline nothing. */
const SUSPEND_NATS = 6
/** On the first day, windows under more evidence than this wait before they are learned. */
const HOLD_NATS = 0.5
/** Standard errors of the baseline, and deviations of latent noise, that the null gives way. */
const ERROR_SD = 1.64
const LATENT_SD = 3
/** First-day noise between windows beyond independence, as neighbouring sessions share fate. */
const EARLY_INFLATION = 2
const DAY_MS = 86_400_000
/** A first day shorter than this goes on past midnight: its minutes would pass for a whole day. */
const FIRST_DAY_MS_MIN = DAY_MS / 2
/** After this many days without traffic nothing of the old baseline is left. */
const IDLE_DAYS_MAX = 40

export const addRate = (records: Records, ms: number): number => {
  const slot = addRecord(records)
  const at = slot * records.shape.doubles
  initVariance(records.doubles, at)
  records.doubles[at + D.firstMs] = ms
  records.doubles[at + D.learnedFromMs] = ms
  records.doubles[at + D.day] = Math.floor(ms / DAY_MS)
  return slot
}

const RATE = new Float64Array(STATISTICS)
const KAPPA = new Float64Array(STATISTICS)
const EXPECTED = new Float64Array(STATISTICS)
/** Of the series at hand: how far the rate of a day may be off the baseline. */
let strayVariance = 0

/**
 * A window that starts at `ms`. `days` holds how days stray, in the same slots as the rates; where
 * it is left out, the baseline is taken to be as good as its standard error.
 */
type Step = { sample: Sample; ms: number; days?: Records }

/** Takes one non-empty window (`sample.n > 0`, `sample.w > 0`). */
export const observeRate = (
  records: Records,
  slot: number,
  step: Step,
  settings: RateSettings
): Outcome => {
  const { sample, ms, days } = step
  const d = records.doubles
  const at = slot * records.shape.doubles
  closeDays(records, slot, Math.floor(ms / DAY_MS), days)
  strayVariance = days === undefined ? 0 : dayVariance(days, slot, suspectDays(d, at, ms))
  markAnchor(d, at, ms)
  d[at + D.windows]! += 1
  RATE[0] = sample.h / sample.w
  RATE[1] = sample.x / sample.n
  KAPPA[0] = sample.ww / (sample.w * sample.w)
  KAPPA[1] = 1 / sample.n
  for (let s = 0; s < STATISTICS; s++) EXPECTED[s] = expectedRate(records, slot, s, ms)
  const outcome =
    d[at + D.openMs]! > 0 ? followOpen(d, at, step, settings) : judge(d, at, step, settings)
  const hasFallen = outcome === 'accepted' && !isMild(d, at)
  if (hasFallen || hasOutgrown(d, at, settings)) forget(records, slot, ms)
  learn(records, slot, step)
  d[at + D.totalN]! += sample.n
  d[at + D.totalW]! += sample.w
  d[at + D.totalH]! += sample.h
  d[at + D.totalCost]! += sample.cost
  d[at + D.lastMs] = ms
  return outcome
}

const suspectDays = (d: Float64Array, at: number, ms: number): number =>
  Math.max(0, ms - earliestSuspicion(d, at)) / DAY_MS

const closeDays = (
  records: Records,
  slot: number,
  day: number,
  days: Records | undefined
): void => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const last = d[at + D.day]!
  if (day <= last) return
  for (let ended = Math.max(last, day - IDLE_DAYS_MAX); ended < day; ended++) {
    const age = (ended + 1) * DAY_MS - d[at + D.learnedFromMs]!
    if (!isLearned(d, at) && age < FIRST_DAY_MS_MIN) continue
    if (days !== undefined) closeErrorDay(days, slot, d, at)
    closeRateDay(records, slot, ended)
    closeVarianceDay(d, at)
  }
  d[at + D.day] = day
}

const READING: Reading = {
  rate: 0,
  expected: 0,
  variance: 0,
  inflation: 1,
  tolerance: { slow: 0, fast: 0 },
  flipsMax: Infinity
}

const read = (d: Float64Array, at: number, s: number, settings: RateSettings): Reading => {
  const early = d[at + D.daysLearned]! < settings.fullAfterDays
  const error =
    ERROR_SD *
    (isLearned(d, at)
      ? Math.sqrt(d[at + s + D.levelError]! ** 2 + strayVariance)
      : Math.sqrt((VARIANCE_REQUEST_DEFAULT * KAPPA[s]! * EARLY_INFLATION) / d[at + D.windows]!))
  const latent = LATENT_SD * Math.sqrt(d[at + s + D.varianceLatent]!)
  READING.rate = RATE[s]!
  READING.expected = EXPECTED[s]!
  READING.variance = variance(d, at + s, KAPPA[s]!)
  READING.inflation = d[at + s + D.inflation]!
  READING.tolerance.fast = Math.max(settings.fastTolerance, latent, error)
  READING.tolerance.slow = early ? READING.tolerance.fast : Math.max(settings.slowTolerance, error)
  READING.flipsMax = early ? 1 : Infinity
  return READING
}

const judge = (d: Float64Array, at: number, step: Step, settings: RateSettings): Outcome => {
  if (d[at + D.windows]! <= settings.armWindows) return 'nothing'
  markRestarts(d, at, step.ms)
  for (let s = 0; s < STATISTICS; s++) addEvidence(d, at, s, read(d, at, s, settings))
  const early = d[at + D.daysLearned]! < settings.fullAfterDays
  const threshold = early ? settings.earlyAlarmNats : settings.alarmNats
  if (strongestNats(d, at) < threshold || mixtureNats(d, at) < threshold) return 'nothing'
  return open(d, at, step, settings.effectMin) ? 'opened' : 'nothing'
}

/** Opens an incident, unless the fall is too small to matter: then evidence just goes on. */
const open = (d: Float64Array, at: number, { sample, ms }: Step, effectMin: number): boolean => {
  const restart = at + D.restarts + strongestDrop(d, at) * SNAPSHOT
  const anchor = oldestAnchor(d, at)
  const before = ratio(d[restart + 3]! - d[anchor + 3]!, d[restart + 2]! - d[anchor + 2]!)
  const after = ratio(
    d[at + D.totalH]! + sample.h - d[restart + 3]!,
    d[at + D.totalW]! + sample.w - d[restart + 2]!
  )
  if (before - after < effectMin) return false
  d[at + D.openMs] = ms
  d[at + D.startedMs] = d[restart]!
  d[at + D.rateAfter] = after
  d[at + D.recovery] = 0
  d.fill(0, at + D.held, at + D.held + 4)
  return true
}

const ratio = (numerator: number, denominator: number): number =>
  denominator > 0 ? numerator / denominator : 0

const followOpen = (d: Float64Array, at: number, step: Step, settings: RateSettings): Outcome => {
  const half = (d[at + D.rateAfter]! + EXPECTED[0]!) / 2
  const nats = recoveryNats(read(d, at, 0, settings), clampRate(half))
  d[at + D.recovery] = Math.max(0, d[at + D.recovery]!) + nats
  if (d[at + D.recovery]! >= settings.recoveryNats) {
    const settled = EXPECTED[0]! <= SETTLED_RATIO * d[at + D.rateAfter]!
    return close(d, at, step.ms, settled ? 'accepted' : 'resolved')
  }
  const age = step.ms - d[at + D.openMs]!
  if (age < settings.acceptAfterDays * DAY_MS) return 'nothing'
  return close(d, at, step.ms, 'accepted')
}

/**
 * A jump whose square is the noise of one request: learned as noise it would hide falls for weeks,
 * so a series that rose so far is learned anew.
 */
const RISE = Math.sqrt(VARIANCE_REQUEST_DEFAULT)

/** Whether the rate rose beyond what the baseline can follow; counts the evidence while at peace. */
const hasOutgrown = (d: Float64Array, at: number, settings: RateSettings): boolean => {
  if (d[at + D.openMs]! > 0 || !isLearned(d, at)) return false
  const nats = riseNats(read(d, at, 0, settings), RISE)
  d[at + D.recovery] = Math.max(0, d[at + D.recovery]! + nats)
  return d[at + D.recovery]! >= settings.alarmNats
}

/** A fall to this share of the expected rate or more is mild: its level is learned meanwhile. */
const MILD_RATIO = 0.75
/** The expected rate came this close to the fallen one: it moved, and the rate did not come back. */
const SETTLED_RATIO = 1.05

/** Forgets the baseline, so that the series is learned anew from here. */
const forget = (records: Records, slot: number, ms: number): void => {
  const { doubles: d, floats, bytes, shape } = records
  const at = slot * shape.doubles
  d.fill(0, at + D.windows, at + D.totalN)
  d.fill(0, at + D.anchors, at + D.openMs)
  d[at + D.recovery] = 0
  floats.fill(0, slot * shape.floats, (slot + 1) * shape.floats)
  bytes.fill(0, slot * shape.bytes, (slot + 1) * shape.bytes)
  initVariance(d, at)
  d[at + D.learnedFromMs] = ms
}

const close = (d: Float64Array, at: number, ms: number, outcome: Outcome): Outcome => {
  d[at + D.openMs] = 0
  d[at + D.recovery] = 0
  d[at + D.resolvedMs] = ms
  clearEvidence(d, at)
  return outcome
}

const isMild = (d: Float64Array, at: number): boolean =>
  isLearned(d, at) && d[at + D.rateAfter]! >= MILD_RATIO * EXPECTED[0]!

/** Learns after judging, and nothing from a window that is under suspicion. */
const learn = (records: Records, slot: number, { sample, ms, days }: Step): void => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  // Learning on through a mild fall keeps a drifting tenant from opening again and again.
  const isOpen = d[at + D.openMs]! > 0
  if (isOpen && !isMild(d, at)) return
  const suspicion = isOpen ? 0 : strongestNats(d, at)
  if (!isLearned(d, at)) learnEarly(d, at, sample, suspicion)
  // Windows under suspicion as well: a day that strayed far must not pass for one that did not.
  else if (days !== undefined) {
    const residual = RATE[MEAN]! - EXPECTED[MEAN]!
    learnDayError(days, slot, sample, { residual, variance: variance(d, at + MEAN, KAPPA[MEAN]!) })
  }
  if (suspicion > SUSPEND_NATS) return
  learnRate(records, slot, sample, ms)
  if (!isLearned(d, at)) return
  const minutesApart = (ms - d[at + D.lastMs]!) / 60_000
  for (let s = 0; s < STATISTICS; s++) {
    const sd = Math.sqrt(variance(d, at + s, KAPPA[s]!))
    const residual = winsorise(RATE[s]! - EXPECTED[s]!, sd, d[at + D.daysLearned]!)
    learnNeighbour(d, at + s, residual, minutesApart)
    learnVariance(d, at + s, residual, KAPPA[s]!)
  }
}

/** On the first day windows under suspicion wait, and are learned when it passes. */
const learnEarly = (d: Float64Array, at: number, sample: Sample, suspicion: number): void => {
  const held = at + D.held
  d[held]! += sample.h
  d[held + 1]! += sample.w
  d[held + 2]! += sample.x
  d[held + 3]! += sample.n
  if (suspicion > HOLD_NATS) return
  for (let i = 0; i < 4; i++) d[at + D.early + i]! += d[held + i]!
  d.fill(0, held, held + 4)
}
