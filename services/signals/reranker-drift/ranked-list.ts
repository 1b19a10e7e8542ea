import type { Columns } from '../define.ts'
import { CANDIDATES, FEATURES } from './record.ts'

/** One rerank step as the detector sees it. */
export type RankedList = {
  ms: number
  /** In the order of FEATURES; NaN = not known. */
  values: Float64Array
  /** Best score minus worst. */
  spread: number
  scores: readonly number[]
  /** 24-bit hashes of the documents, best first; empty without identities. */
  documents: readonly number[]
  /** 24-bit hash of the query; 0 without identity. */
  query: number
  servedBy: string
}

/** Place of the fifth score: lists of five documents and of fifty are alike up to there. */
const FIFTH = 4
const VALUES = new Float64Array(FEATURES.length)

/** The list of a row; null when its scores can't be read. */
export const rankedList = ({ measures, texts }: Columns, row: number): RankedList | null => {
  const text = (name: string): string | null => texts[name]?.at(row) ?? null
  const scores = (text('scores') ?? '').split(' ').map(Number)
  if (scores.length === 0 || !scores.every(Number.isFinite)) return null
  const documents = text('documents') ?? ''
  const query = text('query')
  fillValues(scores)
  VALUES[CANDIDATES] = measures['candidates']![row]!
  return {
    ms: measures['time_ms']![row]!,
    values: VALUES,
    spread: scores[0]! - Math.min(...scores),
    scores,
    documents: documents === '' ? [] : documents.split('\u001f').map(hash24),
    query: query === null ? 0 : hash24(query),
    servedBy: text('served_by') ?? ''
  }
}

const fillValues = (scores: readonly number[]): void => {
  const top = scores[0]!
  const fifth = scores[Math.min(FIFTH, scores.length - 1)]!
  VALUES[0] = top
  VALUES[1] = fifth
  VALUES[2] = scores.length > 1 ? top - fifth : NaN
}

/** FNV-1a folded to 24 bits, which a float holds exactly; never 0. */
const hash24 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  const folded = ((hash >>> 24) ^ hash) & 0xffffff
  return folded === 0 ? 1 : folded
}
