import { R, RISE_SNAPSHOT, RISES, type Tally } from './rise-record.ts'
import {
  clampShare,
  closeShareDay,
  dispersion,
  expectedShare,
  knownTrials,
  learnEarly,
  learnNoise,
  learnShare,
  levelError
} from './rise-baseline.ts'
import { endBet, isAlarm, startBet, type Asked } from './rise-alarm.ts'
import { markAnchor, oldestAnchor, snapshot } from './rise-anchors.ts'
import type { Records } from './records.ts'

/**
 * Watches many shares of bad outcomes for a lasting rise, from the first hours on: a mixture of
 * quasi-binomial e-detectors (Shin, Ramdas, Rinaldo, arXiv 2203.03532) that bet on odds 1.5, 3
 * and 8 times the null. The null gives way for the error of the baseline, the evidence is divided
 * by the measured overdispersion, and no window counts for more than three nats. For rates that
 * fall from a middle level, weighted by tokens, see `rate-detector.ts`.
 */

export type RiseSettings = Asked & {
  /** Trials and non-empty windows before a new series is judged. */
  armTrials: number
  armWindows: number
  /** Rise in share, after against before the change point, that is never worth a finding. */
  effectMin: number
  /** Relative rise that the null gives way, and the same until `fullAfterDays` are learned. */
  tolerance: number
  earlyTolerance: number
  fullAfterDays: number
  recoveryNats: number
  acceptAfterDays: number
}

export type RiseOutcome = 'nothing' | 'opened' | 'resolved' | 'accepted'

const CAP_NATS = 3
/** Evidence above which a window teaches the baseline nothing. */
const SUSPEND_NATS = 6
/** Standard errors of the baseline that the null gives way. */
const ERROR_SD = 1.64
/** Three clusters of four. */
const UNSEEN_TRIALS = 12
const DAY_MS = 86_400_000
/** A first day shorter than this goes on past midnight: its minutes would pass for a day. */
const FIRST_DAY_MS_MIN = DAY_MS / 2
/** A baseline this old says nothing of today. */
const IDLE_DAYS_MAX = 40

/** Starts, or starts anew, a series whose first window begins at `ms`. */
export const startRise = (records: Records, slot: number, ms: number): void => {
  const { doubles: d, floats, shape } = records
  const at = slot * shape.doubles
  d.fill(0, at, at + shape.doubles)
  floats.fill(0, slot * shape.floats, (slot + 1) * shape.floats)
  d[at + R.lastMs] = ms
  d[at + R.firstMs] = ms
  d[at + R.day] = Math.floor(ms / DAY_MS)
}

/** Takes one window that starts at `ms`; one without trials only adds its sums. */
export const observeRise = (
  records: Records,
  slot: number,
  { tally, ms }: { tally: Tally; ms: number },
  settings: RiseSettings
): RiseOutcome => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  closeDays(records, slot, ms)
  markAnchor(d, at, ms)
  if (tally.n > 0) d[at + R.windows]! += 1
  const given = tally.expected ?? Number.NaN
  const window = WINDOW
  window.n = tally.n
  window.k = tally.k
  window.expected = clampShare(Number.isNaN(given) ? expectedShare(records, slot, ms) : given)
  window.ms = ms
  const outcome = tally.n === 0 ? 'nothing' : decide(d, at, window, settings)
  if (tally.n > 0) learn(records, slot, window)
  const totals = at + R.totals
  d[totals] = ms
  d[totals + 1]! += tally.n
  d[totals + 2]! += tally.k
  for (let i = 0; i < 3; i++) d[totals + 3 + i]! += tally.sums[i]!
  d[at + R.lastMs] = ms
  if (outcome === 'accepted') forget(records, slot, ms)
  return outcome
}

const decide = (d: Float64Array, at: number, window: Window, settings: RiseSettings): RiseOutcome =>
  d[at + R.openMs]! > 0 ? followOpen(d, at, window, settings) : judge(d, at, window, settings)

type Window = { n: number; k: number; expected: number; ms: number }
/** One object for all windows, since nobody keeps one: there are half a million a minute. */
const WINDOW: Window = { n: 0, k: 0, expected: Number.NaN, ms: 0 }

const closeDays = (records: Records, slot: number, ms: number): void => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const day = Math.floor(ms / DAY_MS)
  const last = d[at + R.day]!
  if (day <= last) return
  if (day - last > IDLE_DAYS_MAX) return startRise(records, slot, ms)
  const age = day * DAY_MS - d[at + R.firstMs]!
  if (d[at + R.daysLearned]! > 0 || age >= FIRST_DAY_MS_MIN) closeShareDay(records, slot)
  d[at + R.day] = day
}

const judge = (
  d: Float64Array,
  at: number,
  window: Window,
  settings: RiseSettings
): RiseOutcome => {
  if (knownTrials(d, at) < settings.armTrials) return 'nothing'
  if (d[at + R.windows]! <= settings.armWindows) return 'nothing'
  addEvidence(d, at, window, settings)
  if (!isAlarm(d, at, settings)) return 'nothing'
  return open(d, at, window, settings.effectMin) ? 'opened' : 'nothing'
}

/** The largest share that is still nothing unusual. */
const nullShare = (
  d: Float64Array,
  at: number,
  expected: number,
  settings: RiseSettings
): number => {
  const early = d[at + R.daysLearned]! < settings.fullAfterDays
  const room = (early ? settings.earlyTolerance : settings.tolerance) * expected
  const usual = expected + Math.max(room, ERROR_SD * levelError(d, at, expected))
  return clampShare(
    d[at + R.daysLearned]! > 0 ? usual : Math.max(usual, unseenShare(d, at, expected))
  )
}

/**
 * The share that could have shown so few bad outcomes on a first day: three clusters more (the
 * rule of three), since bad outcomes come in clusters and their size is not known yet.
 */
const unseenShare = (d: Float64Array, at: number, expected: number): number =>
  expected + UNSEEN_TRIALS / (knownTrials(d, at) + UNSEEN_TRIALS)

const addEvidence = (d: Float64Array, at: number, window: Window, settings: RiseSettings): void => {
  const { n, k, ms } = window
  const usual = nullShare(d, at, window.expected, settings)
  const noise = dispersion(d, at)
  for (let bet = 0; bet < RISES.length; bet++) {
    const evidence = at + R.evidence + bet
    const isStart = d[evidence]! <= 0
    if (isStart) startBet(d, at, bet, settings)
    const odds = (RISES[bet]! * usual) / (1 - usual)
    const raised = odds / (1 + odds)
    // In most windows nothing is bad, which saves half of the logarithms.
    const ofBad = k > 0 ? k * Math.log(raised / usual) : 0
    const nats = ofBad + (n - k) * Math.log((1 - raised) / (1 - usual))
    d[evidence] = Math.max(0, d[evidence]!) + Math.min(CAP_NATS, nats / noise)
    if (d[evidence]! <= 0) endBet(d, at, bet, settings)
    // Nobody asks where a bet began whose evidence is gone again.
    else if (isStart) snapshot(d, at, at + R.restarts + bet * RISE_SNAPSHOT, ms)
  }
}

/** The bet that the evidence speaks for most. */
export const strongestBet = (d: Float64Array, at: number): number => {
  let best = 0
  for (let bet = 1; bet < RISES.length; bet++) {
    if (d[at + R.evidence + bet]! > d[at + R.evidence + best]!) best = bet
  }
  return best
}

/** ln of the mean of all bets: an average of e-detectors is one under any dependence. */
export const riseNats = (d: Float64Array, at: number): number => {
  const strongest = d[at + R.evidence + strongestBet(d, at)]!
  let sum = 0
  for (let bet = 0; bet < RISES.length; bet++) {
    sum += Math.exp(d[at + R.evidence + bet]! - strongest)
  }
  return strongest + Math.log(sum / RISES.length)
}

const shareBetween = (
  d: Float64Array,
  from: number,
  to: number,
  extra = { n: 0, k: 0 }
): number => {
  const n = d[to + 1]! - d[from + 1]! + extra.n
  return n > 0 ? (d[to + 2]! - d[from + 2]! + extra.k) / n : 0
}

/** Opens an incident, unless the rise is too small to matter: then evidence just goes on. */
const open = (d: Float64Array, at: number, window: Window, effectMin: number): boolean => {
  const restart = at + R.restarts + strongestBet(d, at) * RISE_SNAPSHOT
  const before = shareBetween(d, oldestAnchor(d, at), restart)
  const after = shareBetween(d, restart, at + R.totals, window)
  if (after - Math.max(before, window.expected) < effectMin) return false
  d[at + R.openMs] = window.ms
  d[at + R.startedMs] = d[restart]!
  d[at + R.shareAfter] = after
  d[at + R.recovery] = 0
  d.fill(0, at + R.held, at + R.held + 2)
  return true
}

/** The mirrored bet: the share is back at what was expected, not half-way to the risen one. */
const followOpen = (
  d: Float64Array,
  at: number,
  window: Window,
  settings: RiseSettings
): RiseOutcome => {
  const { n, k } = window
  const usual = nullShare(d, at, window.expected, settings)
  const half = clampShare((usual + Math.max(d[at + R.shareAfter]!, usual * 1.1)) / 2)
  const nats = k * Math.log(usual / half) + (n - k) * Math.log((1 - usual) / (1 - half))
  const recovery = Math.max(0, d[at + R.recovery]!) + Math.min(CAP_NATS, nats / dispersion(d, at))
  d[at + R.recovery] = recovery
  if (recovery >= settings.recoveryNats) return close(d, at, window.ms, 'resolved')
  const age = window.ms - d[at + R.openMs]!
  if (age < settings.acceptAfterDays * DAY_MS) return 'nothing'
  return close(d, at, window.ms, 'accepted')
}

const close = (d: Float64Array, at: number, ms: number, outcome: RiseOutcome): RiseOutcome => {
  d[at + R.openMs] = 0
  d[at + R.resolvedMs] = ms
  d.fill(0, at + R.evidence, at + R.evidence + RISES.length)
  return outcome
}

/** After a rise was accepted the series is learned anew; what incidents refer to stays. */
const forget = (records: Records, slot: number, ms: number): void => {
  const { doubles: d, shape } = records
  const at = slot * shape.doubles
  const kept = [R.resolvedMs, R.incidentDay].map((offset) => d[at + offset]!)
  startRise(records, slot, ms)
  d[at + R.resolvedMs] = kept[0]!
  d[at + R.incidentDay] = kept[1]!
}

/** Learns after judging, and nothing from a window that is under suspicion or in an incident. */
const learn = (records: Records, slot: number, window: Window): void => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  if (d[at + R.openMs]! > 0) return
  const suspicion = d[at + R.evidence + strongestBet(d, at)]!
  const isKnown = d[at + R.daysLearned]! > 0
  if (!isKnown) learnEarly(d, at, window, suspicion)
  if (suspicion > SUSPEND_NATS) return
  learnShare(records, slot, window, window.ms)
  if (isKnown || d[at + R.windows]! > 1) learnNoise(d, at, window)
}
