import { alarmNats } from '../statistics/false-alarm-budget.ts'
import { addShift, SHIFT_BETS, shiftStands, strongestShift } from '../statistics/mean-shift.ts'
import { learnValue, normalScore, REFERENCE_VALUES } from '../statistics/reference.ts'
import type { Records } from '../statistics/records.ts'
import type { RankedList } from './ranked-list.ts'
import { D, F, FEATURES, REPEATS, SHAPE, SNAPSHOT } from './record.ts'
import { compareRepeat, type Repeat } from './repeats.ts'
import type { Settings } from './settings.ts'

/** One reranker: what is usual, the evidence that it no longer is, and when that began. */

const HOUR_MS = 3_600_000
const ANCHOR_MS = 12 * HOUR_MS
/** Evidence above which a query teaches the reference nothing. */
const SUSPEND_NATS = 4
/** Standard errors of the reference that its mean may be off by. */
const ERROR_SD = 1.64
/** Standard deviations of batch means by which the mix of queries may move the mean. */
const LATENT_SD = 3
/** Queries in a batch; batches after which their spread is known, and its memory. */
const BATCH_QUERIES = 16
const BATCHES_MIN = 24
const BATCH_DECAY = 0.999
const DAY_MS = 24 * HOUR_MS
/** A query asked again agrees this often before anything is known, which counts for ten. */
const AGREEMENT_PRIOR = 0.9
const AGREEMENT_WEIGHT = 10
/** Comparisons of queries without a name before they count: agreement must be usual at all. */
const UNNAMED_MIN = 20
/** After a change the same query agrees in this share of the cases in which it did. */
const AGREEMENT_FALL = 0.3
const CAP_NATS = 2
const BETS = FEATURES.length * SHIFT_BETS + REPEATS.length
/** Bets on repeats are two, and the sharpest: half the budget is theirs. */
const REPEAT_SHARE = 1 / (2 * REPEATS.length)

/** Takes one query; true when the evidence reached what the tenant's budget asks for. */
export const observeList = (
  records: Records,
  slot: number,
  list: RankedList,
  { settings, series }: { settings: Settings; series: number }
): boolean => {
  const { doubles: d, floats: f } = records
  const at = slot * SHAPE.doubles
  const floats = slot * SHAPE.floats
  // What came before a change that is under suspicion is kept, however long it takes to decide.
  if (strongestNats(f, floats) <= SUSPEND_NATS) markAnchor(d, at, list.ms)
  markRestarts(d, f, { at, floats, ms: list.ms })
  for (let feature = 0; feature < FEATURES.length; feature++) {
    judgeFeature(records, slot, feature, { value: list.values[feature]!, settings })
  }
  const repeat = compareRepeat(f, floats, list, {
    queries: d[at + D.totals + 1]! + 1,
    limits: settings
  })
  if (repeat !== null) judgeRepeat(d, f, { at, floats, repeat })
  d[at + D.lastMs] = list.ms
  d[at + D.totals + 1]! += 1
  for (const [feature, value] of list.values.entries()) d[at + D.totals + 2 + feature]! += value
  if (strongestNats(f, floats) <= SUSPEND_NATS) learn(records, slot, list)
  return isAlarm(f, floats, alarmNats(settings.falseFindingsPerTenantMonth, series))
}

const isAlarm = (f: Float32Array, floats: number, nats: number): boolean => {
  const repeats = Math.max(...REPEATS.map((_, i) => f[floats + F.repeatEvidence + i]!))
  if (repeats >= nats - Math.log(REPEAT_SHARE)) return true
  const shifts = Math.max(...FEATURES.map((_, feature) => featureNats(f, floats, feature)))
  return shifts >= nats + Math.log(2 * BETS)
}

export const featureNats = (f: Float32Array, floats: number, feature: number): number =>
  strongestShift(f, floats + F.evidence + feature * SHIFT_BETS)

export const strongestNats = (f: Float32Array, floats: number): number =>
  Math.max(
    ...FEATURES.map((_, feature) => featureNats(f, floats, feature)),
    ...REPEATS.map((_, i) => f[floats + F.repeatEvidence + i]!)
  )

/** Normal scores of the query that is being judged; NaN = not judged. */
const SCORES = new Float64Array(FEATURES.length)

type Judged = { value: number; settings: Settings }

const referenceOf = (f: Float32Array, floats: number, feature: number) => ({
  floats: f,
  at: floats + F.references + feature * REFERENCE_VALUES
})

const judgeFeature = (
  { doubles: d, floats: f }: Records,
  slot: number,
  feature: number,
  { value, settings }: Judged
): void => {
  const at = slot * SHAPE.doubles
  const floats = slot * SHAPE.floats
  const known = d[at + D.known + feature]!
  SCORES[feature] = NaN
  if (Number.isNaN(value) || known < settings.armQueries) return
  const z = normalScore(referenceOf(f, floats, feature), known, value)
  SCORES[feature] = z
  const tolerance = Math.max(
    isSettled(d, at) ? settings.shiftTolerance : settings.earlyShiftTolerance,
    ERROR_SD / Math.sqrt(known),
    LATENT_SD * latentSd(d, at, feature)
  )
  const inflation = inflationOf(d, at, feature)
  addShift(f, floats + F.evidence + feature * SHIFT_BETS, { z, tolerance, inflation })
}

type RepeatStep = { at: number; floats: number; repeat: Repeat }

const judgeRepeat = (d: Float64Array, f: Float32Array, step: RepeatStep): void => {
  const { at, floats, repeat } = step
  for (const [index, agrees] of [repeat.sameScores, repeat.sameDocuments].entries()) {
    if (agrees === null) continue
    const compared = d[at + D.compared + index]!
    const agreed = d[at + D.agreed + index]!
    const evidence = floats + F.repeatEvidence + index
    if (repeat.named || compared >= UNNAMED_MIN) {
      const usual = (agreed + AGREEMENT_PRIOR * AGREEMENT_WEIGHT) / (compared + AGREEMENT_WEIGHT)
      const fallen = AGREEMENT_FALL * usual
      const nats = agrees ? Math.log(fallen / usual) : Math.log((1 - fallen) / (1 - usual))
      f[evidence] = Math.max(0, f[evidence]! + Math.min(CAP_NATS, nats))
    }
    // One disagreement and all that follow wait until agreement has made up for them.
    if (f[evidence]! > 0) continue
    d[at + D.compared + index]! += 1
    d[at + D.agreed + index]! += agrees ? 1 : 0
  }
}

const learn = ({ doubles: d, floats: f }: Records, slot: number, list: RankedList): void => {
  const at = slot * SHAPE.doubles
  const floats = slot * SHAPE.floats
  if (d[at + D.learnedFromMs] === 0) d[at + D.learnedFromMs] = list.ms
  const [score] = SCORES
  if (score === score) {
    d[at + D.batchN]! += 1
    for (const [feature, z] of SCORES.entries()) d[at + D.batchSums + feature]! += z === z ? z : 0
    closeBatch(d, at)
  }
  for (const [feature, value] of list.values.entries()) {
    if (Number.isNaN(value)) continue
    learnValue(referenceOf(f, floats, feature), d[at + D.known + feature]!, value)
    d[at + D.known + feature]! += 1
  }
}

/** Whether a whole day was seen, and enough batches of it. */
const isSettled = (d: Float64Array, at: number): boolean =>
  d[at + D.batches]! >= BATCHES_MIN && d[at + D.lastMs]! - d[at + D.learnedFromMs]! >= DAY_MS

/** How far batches differ beyond chance, which alone makes Σ n·mean² one a batch. */
const latentSd = (d: Float64Array, at: number, feature: number): number => {
  const batches = d[at + D.batches]!
  if (batches < BATCHES_MIN) return 0
  const excess = d[at + D.batchSquares + feature]! - batches
  return Math.sqrt(Math.max(0, excess / d[at + D.batchesN]!))
}

const inflationOf = (d: Float64Array, at: number, feature: number): number => {
  const batches = d[at + D.batches]!
  return batches < BATCHES_MIN ? 1 : Math.max(1, d[at + D.batchSquares + feature]! / batches)
}

const closeBatch = (d: Float64Array, at: number): void => {
  const n = d[at + D.batchN]!
  if (n < BATCH_QUERIES) return
  d[at + D.batches] = BATCH_DECAY * d[at + D.batches]! + 1
  d[at + D.batchesN] = BATCH_DECAY * d[at + D.batchesN]! + n
  for (let feature = 0; feature < FEATURES.length; feature++) {
    const sum = d[at + D.batchSums + feature]!
    const squares = at + D.batchSquares + feature
    d[squares] = BATCH_DECAY * d[squares]! + (sum * sum) / n
  }
  d.fill(0, at + D.batchN, at + D.batches)
}

/** Keeps the sums of 12 to 24 hours ago: where "before" begins. */
const markAnchor = (d: Float64Array, at: number, ms: number): void => {
  const totals = at + D.totals
  d[totals] = ms
  const [old, young] = [at + D.anchors, at + D.anchors + SNAPSHOT]
  if (d[old] === 0) d.copyWithin(old, totals, totals + SNAPSHOT)
  if (d[young] !== 0 && Math.floor(ms / ANCHOR_MS) === Math.floor(d[young]! / ANCHOR_MS)) return
  if (d[young] !== 0) d.copyWithin(old, young, young + SNAPSHOT)
  d.copyWithin(young, totals, totals + SNAPSHOT)
}

type Place = { at: number; floats: number; ms: number }

/** Where a detector's evidence stands at zero, a change could begin now. */
const markRestarts = (d: Float64Array, f: Float32Array, { at, floats, ms }: Place): void => {
  d[at + D.totals] = ms
  for (let index = 0; index <= FEATURES.length; index++) {
    const stands =
      index < FEATURES.length
        ? shiftStands(f, floats + F.evidence + index * SHIFT_BETS)
        : REPEATS.some((_, i) => f[floats + F.repeatEvidence + i]! > 0)
    if (stands) continue
    const restart = at + D.restarts + index * SNAPSHOT
    d.copyWithin(restart, at + D.totals, at + D.totals + SNAPSHOT)
  }
}

/** The detector whose evidence is strongest: a feature, or FEATURES.length for repeats. */
export const strongestDetector = (f: Float32Array, floats: number): number => {
  const nats = FEATURES.map((_, feature) => featureNats(f, floats, feature))
  const repeats = Math.max(...REPEATS.map((_, i) => f[floats + F.repeatEvidence + i]!))
  const all = [...nats, repeats]
  return all.indexOf(Math.max(...all))
}

/** Learns anew from the change point on. */
export const startAnew = ({ doubles: d, floats: f }: Records, slot: number): void => {
  const at = slot * SHAPE.doubles
  const floats = slot * SHAPE.floats
  const restart = at + D.restarts + strongestDetector(f, floats) * SNAPSHOT
  d.copyWithin(at + D.anchors, restart, restart + SNAPSHOT)
  d.copyWithin(at + D.anchors + SNAPSHOT, restart, restart + SNAPSHOT)
  d.fill(0, at + D.known, at + D.known + FEATURES.length)
  d.fill(0, at + D.learnedFromMs, at + D.compared)
  forgetAgreement(
    d,
    at,
    REPEATS.map((_, i) => f[floats + F.repeatEvidence + i]!)
  )
  f.fill(0, floats, floats + SHAPE.floats)
}

/** An index whose answers differ from time to time by themselves must not alarm again and again. */
const AGREEMENT_DOUBT = 4

const forgetAgreement = (d: Float64Array, at: number, evidence: readonly number[]): void => {
  for (const [index, nats] of evidence.entries()) {
    d[at + D.compared + index] =
      nats > SUSPEND_NATS ? d[at + D.compared + index]! + AGREEMENT_DOUBT : 0
    d[at + D.agreed + index] = 0
  }
}
