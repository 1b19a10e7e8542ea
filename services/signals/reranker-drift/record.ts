import { REFERENCE_VALUES } from '../statistics/reference.ts'
import { layout } from '../statistics/records.ts'
import { SHIFT_BETS } from '../statistics/mean-shift.ts'

/** What is remembered of one reranker on one index: under 2 KB. */

/** Numbers of a ranked list that are watched, in this order. */
export const FEATURES = ['top_score', 'fifth_score', 'margin', 'candidates'] as const
export const CANDIDATES = FEATURES.indexOf('candidates')
/** Bets on the same query asked again: do scores agree, are the documents kept? */
export const REPEATS = ['same_scores', 'same_documents'] as const

/** Cumulative: time, queries, Σ of each feature. */
export const SNAPSHOT = 2 + FEATURES.length
/** A restart per feature, and one for the queries asked again. */
const RESTARTS = FEATURES.length + 1

const doubles = layout({
  lastMs: 1,
  /** Values in each feature's reference; it starts again at each change. */
  known: FEATURES.length,
  /** Cumulative sums now, at the oldest kept anchor and the next, and where evidence left zero. */
  totals: SNAPSHOT,
  anchors: 2 * SNAPSHOT,
  restarts: RESTARTS * SNAPSHOT,
  /** First query of the reference. */
  learnedFromMs: 1,
  /** The running batch: queries, and Σ of normal scores. */
  batchN: 1,
  batchSums: FEATURES.length,
  /** Batches past, decayed: how many, their queries, and Σ n·mean². */
  batches: 1,
  batchesN: 1,
  batchSquares: FEATURES.length,
  /** Comparisons of repeated queries, and how many agreed. */
  compared: REPEATS.length,
  agreed: REPEATS.length
})

/** Queries remembered for being asked again, and the documents kept of each. */
export const PROBES = 12
export const PROBE_DOCUMENTS = 5
/** Query, count of queries when last asked (negative = asked again), then documents, then their scores. Hashes have 24 bits. */
export const PROBE = 2 + 2 * PROBE_DOCUMENTS

const floats = layout({
  references: FEATURES.length * REFERENCE_VALUES,
  evidence: FEATURES.length * SHIFT_BETS,
  repeatEvidence: REPEATS.length,
  probes: PROBES * PROBE
})

export const D = doubles.at
export const F = floats.at
export const SHAPE = { doubles: doubles.length, floats: floats.length, bytes: 0 }
