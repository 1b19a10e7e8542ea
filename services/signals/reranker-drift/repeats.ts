import type { RankedList } from './ranked-list.ts'
import { F, PROBE, PROBE_DOCUMENTS, PROBES } from './record.ts'

/**
 * The same query asked again is the sharpest probe: a reranker that did not change gives the same
 * documents the same scores, and a retriever that did not change gives it the same documents. A
 * few queries are remembered: first those of the smallest hash, so that the same ones are kept
 * whoever asks when; one that is asked again stays.
 */

/** What a query asked again showed; null = can't be told. */
export type Repeat = {
  /** Whether the query is known by name rather than by its documents. */
  named: boolean
  sameScores: boolean | null
  sameDocuments: boolean
}

export type RepeatLimits = { scoreTolerance: number; overlapMin: number }

/** Documents are remembered and looked for among the best ten. */
const TOP = 10
/** Documents in common that make two lists answers to one query, when it has no name. */
const SAME_QUERY_DOCUMENTS = 3
/** Queries after which one that was never asked again makes place, and one that was. */
const TRIAL_QUERIES = 250
const FORGET_QUERIES = 5000

/** Compares with what is remembered, then remembers the new list in its place. */
export const compareRepeat = (
  floats: Float32Array,
  record: number,
  list: RankedList,
  { queries, limits }: { queries: number; limits: RepeatLimits }
): Repeat | null => {
  if (list.documents.length === 0) return null
  const probes = floats.subarray(record + F.probes, record + F.probes + PROBES * PROBE)
  const at = findProbe(probes, list)
  const repeat = at < 0 ? null : compare(probes, at, list, limits)
  const place = at < 0 ? placeFor(probes, list, queries) : at
  if (repeat !== null && !agrees(repeat) && !isDoubted(probes, at)) doubt(probes, at, queries)
  // Asked again is said by the sign.
  else if (place >= 0) remember(probes, place, { list, seen: at < 0 ? queries : -queries })
  return repeat
}

const agrees = ({ sameScores, sameDocuments }: Repeat): boolean =>
  sameScores !== false && sameDocuments

/** An answer that differs is not taken at once: it counts twice, then it is the new one. */
const DOUBT = 0.5
const isDoubted = (probes: Float32Array, at: number): boolean => probes[at + 1]! % 1 !== 0
const doubt = (probes: Float32Array, at: number, queries: number): void => {
  probes[at + 1] = -(queries + DOUBT)
}

/** Offset of the probe that asked the same, −1 when none or more than one did. */
const findProbe = (probes: Float32Array, list: RankedList): number => {
  let found = -1
  for (let at = 0; at < probes.length; at += PROBE) {
    if (probes[at] === 0) continue
    const same =
      list.query > 0
        ? probes[at] === list.query
        : common(probes, at, list.documents) >= SAME_QUERY_DOCUMENTS
    if (!same) continue
    if (found >= 0) return -1
    found = at
  }
  return found
}

const common = (probes: Float32Array, at: number, documents: readonly number[]): number => {
  let count = 0
  for (let i = 0; i < PROBE_DOCUMENTS; i++) if (documents.includes(probes[at + 2 + i]!)) count += 1
  return count
}

const compare = (
  probes: Float32Array,
  at: number,
  list: RankedList,
  limits: RepeatLimits
): Repeat => {
  let known = 0
  let found = 0
  let agreeing = 0
  for (let i = 0; i < PROBE_DOCUMENTS; i++) {
    const document = probes[at + 2 + i]!
    if (document === 0) continue
    known += 1
    const place = list.documents.indexOf(document)
    if (place < 0) continue
    found += 1
    const before = probes[at + 2 + PROBE_DOCUMENTS + i]!
    const apart = Math.abs(list.scores[place]! - before)
    // A float keeps seven digits, which large scores with a small spread need.
    const resolution = Math.abs(before) * 1e-6
    if (apart <= limits.scoreTolerance * list.spread + resolution) agreeing += 1
  }
  const kept = common(probes, at, list.documents.slice(0, TOP))
  return {
    named: list.query > 0,
    sameScores: found === 0 ? null : 2 * agreeing > found,
    sameDocuments: kept >= limits.overlapMin * known
  }
}

const identity = ({ query, documents }: RankedList): number =>
  query > 0 ? query : Math.min(...documents.slice(0, TOP))

/** An empty or stale place, else that of the largest hash on trial if the new one is smaller. */
const placeFor = (probes: Float32Array, list: RankedList, queries: number): number => {
  let largest = -1
  for (let at = 0; at < probes.length; at += PROBE) {
    const seen = probes[at + 1]!
    const stale = seen < 0 ? queries + seen > FORGET_QUERIES : queries - seen > TRIAL_QUERIES
    if (probes[at] === 0 || stale) return at
    if (seen >= 0 && (largest < 0 || probes[at]! > probes[largest]!)) largest = at
  }
  return largest >= 0 && identity(list) < probes[largest]! ? largest : -1
}

type Remembered = { list: RankedList; seen: number }

const remember = (probes: Float32Array, at: number, { list, seen }: Remembered): void => {
  const top = list.documents.slice(0, TOP)
  const chosen = [...top].sort((a, b) => a - b).slice(0, PROBE_DOCUMENTS)
  probes.fill(0, at, at + PROBE)
  probes[at] = identity(list)
  probes[at + 1] = seen
  for (const [i, document] of chosen.entries()) {
    probes[at + 2 + i] = document
    probes[at + 2 + PROBE_DOCUMENTS + i] = list.scores[top.indexOf(document)] ?? NaN
  }
}
