import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { round } from '../statistics/round.ts'
import type { Words } from '../statistics/series-slots.ts'
import { CANDIDATES, D, F, FEATURES, REPEATS, SHAPE, SNAPSHOT } from './record.ts'
import { featureNats, strongestDetector } from './series.ts'
import type { Records } from '../statistics/records.ts'

/** Turns an alarm into the finding that people read: reranker or retriever, and by how much. */

/** Evidence of one detector that names it. */
const NAMED_NATS = 6
const HOUR_MS = 3_600_000

export type Alarm = {
  words: Words
  /** Time of the query that decided, and the end of its minute. */
  untilMs: number
  detectedMs: number
  servedBefore: string
  servedNow: string
  /** When `servedNow` was first seen. */
  servedSinceMs: number
}

type Side = { queries: number; means: number[]; fromMs: number; toMs: number }

const iso = (ms: number): string => new Date(ms).toISOString()

const side = (from: Float64Array, to: Float64Array, toMs: number): Side => {
  const queries = to[1]! - from[1]!
  const means = FEATURES.map((_, feature) => (to[2 + feature]! - from[2 + feature]!) / queries)
  return { queries, means, fromMs: from[0]!, toMs }
}

/** Before and after the change point, to be read in the query that alarmed. */
export const sidesOf = (records: Records, slot: number, untilMs: number) => {
  const { doubles: d, floats: f } = records
  const at = slot * SHAPE.doubles
  const detector = strongestDetector(f, slot * SHAPE.floats)
  const restart = d.subarray(at + D.restarts + detector * SNAPSHOT)
  return {
    before: side(d.subarray(at + D.anchors), restart, restart[0]!),
    after: side(restart, d.subarray(at + D.totals), untilMs + 1)
  }
}

const figures = ({ queries, means, fromMs, toMs }: Side): Draft['before'] => ({
  queries,
  ...Object.fromEntries(FEATURES.map((name, feature) => [name, significant(means[feature]!)])),
  from: iso(fromMs),
  to: iso(toMs)
})

/** Six digits: scores may be 0.8 or 10⁸. Null where a step did not report it. */
const significant = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null

export const driftDraft = (records: Records, slot: number, alarm: Alarm): Draft => {
  const { before, after } = sidesOf(records, slot, alarm.untilMs)
  const floats = slot * SHAPE.floats
  const evidence = evidenceOf(records.floats, floats)
  const mechanism = mechanismOf(records, slot)
  const [tenant, name] = alarm.words
  return {
    fingerprint: fingerprint('reranker-drift', tenant ?? null, name ?? null, after.fromMs),
    status: 'firing',
    severity: 'warning',
    tenant: tenant ?? null,
    scope: name === null || name === undefined ? {} : { name },
    axis: 'retrieval',
    started_at: iso(after.fromMs),
    detected_at: iso(alarm.detectedMs),
    summary: summary(alarm, { before, after }, mechanism),
    before: { ...figures(before), served_by: alarm.servedBefore || null },
    after: {
      ...figures(after),
      served_by: alarm.servedNow || null,
      mechanism: mechanism.name,
      mechanism_confidence: mechanism.confidence,
      evidence_nats: round(Math.max(...evidence.map(({ evidence_nats }) => evidence_nats)), 1)
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: [
      ...rollout(alarm, after.fromMs),
      ...evidence.map((one) => ({ ...one, ...moved(one.what, { before, after }) }))
    ],
    query: reproduce(alarm.words, before, after)
  }
}

const evidenceOf = (f: Float32Array, floats: number) =>
  [
    ...FEATURES.map((what, feature) => ({
      what: what as string,
      nats: featureNats(f, floats, feature)
    })),
    ...REPEATS.map((what, i) => ({ what: what as string, nats: f[floats + F.repeatEvidence + i]! }))
  ]
    .filter(({ nats }) => nats >= NAMED_NATS)
    .sort((a, b) => b.nats - a.nats)
    .map(({ what, nats }) => ({ what, evidence_nats: round(nats, 1) }))

const moved = (what: string, { before, after }: { before: Side; after: Side }) => {
  const feature = FEATURES.findIndex((name) => name === what)
  if (feature < 0) return {}
  return {
    before: significant(before.means[feature]!),
    after: significant(after.means[feature]!)
  }
}

type Mechanism = { name: 'reranker' | 'retriever'; confidence: 'high' | 'medium' }

/**
 * The same documents with other scores: the reranker. Other documents with the scores that they
 * had, or another number of candidates: the retriever.
 */
const mechanismOf = ({ doubles: d, floats: f }: Records, slot: number): Mechanism => {
  const floats = slot * SHAPE.floats
  const [scores, documents] = REPEATS.map((_, i) => f[floats + F.repeatEvidence + i]!)
  if (scores! >= NAMED_NATS) return { name: 'reranker', confidence: 'high' }
  const compared = d[slot * SHAPE.doubles + D.compared]!
  if (documents! >= NAMED_NATS && compared > 0) return { name: 'retriever', confidence: 'high' }
  const candidates = featureNats(f, floats, CANDIDATES) >= NAMED_NATS
  return { name: candidates ? 'retriever' : 'reranker', confidence: 'medium' }
}

const ROLLOUT_MS = HOUR_MS / 2

/** A new version that began to serve around the change. */
const rollout = (alarm: Alarm, startedMs: number): Draft['contributors'] =>
  alarm.servedBefore !== alarm.servedNow && Math.abs(alarm.servedSinceMs - startedMs) < ROLLOUT_MS
    ? [{ what: 'served_by', before: alarm.servedBefore, after: alarm.servedNow }]
    : []

const summary = (
  { words, servedBefore, servedNow }: Alarm,
  { before, after }: { before: Side; after: Side },
  { name }: Mechanism
): string => {
  const where = words[1] === null ? '' : ` on ${words[1]}`
  const version =
    servedBefore === servedNow ? 'no version changed' : `${servedBefore} became ${servedNow}`
  const feature = name === 'retriever' ? CANDIDATES : 0
  const from = significant(before.means[feature]!) ?? 'unknown'
  const to = significant(after.means[feature]!) ?? 'unknown'
  const what = name === 'retriever' ? 'candidates of a query' : 'best score'
  return `The ${name} of ${words[0]}${where} gives other results since ${iso(after.fromMs)}: ${what} ${from} before, ${to} over ${after.queries} queries; ${version}`
}

const reproduce = ([tenant, name]: Words, before: Side, after: Side): string =>
  `SELECT time >= ${sqlTime(after.fromMs)} AS after, count(*) AS queries,
  avg(scores[1]) AS top_score, avg(scores[least(5, len(scores))]) AS fifth_score,
  avg(candidates) AS candidates
FROM events WHERE ${sqlEquals('tenant', tenant ?? null)} AND ${sqlEquals('name', name ?? null)}
  AND kind = 'rerank' AND len(scores) > 0
  AND time >= ${sqlTime(before.fromMs)} AND time < ${sqlTime(after.toMs)} GROUP BY 1 ORDER BY 1`
