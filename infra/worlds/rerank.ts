import { createRandom, type Random } from './random.ts'

/**
 * Tenants whose rerank scores move for innocent reasons: the mix of queries changes with the hour
 * and from day to day, neighbouring queries resemble each other, popular queries come again. At a
 * known minute the reranker is replaced, or the retriever gives other candidates.
 */

export type RerankTenant = {
  queriesPerMinute: number
  /** Innocent movement of the mean score, in standard deviations between queries. */
  hourSwing: number
  dayWalk: number
  latentSd: number
  /** Share of queries that were asked before. */
  repeatShare: number
  phase: number
  /** Scores are a monotone function of a relevance: none, logistic, or exponential. */
  scale: 'raw' | 'probability' | 'exponential'
}

export type RerankChange = {
  minute: number
  /** Shift of all scores, in standard deviations between queries; 0 = none. */
  shift: number
  /** Share of each list's documents that are others than before. */
  replaced: number
}

export type RankedQuery = {
  ms: number
  query: string
  documents: readonly string[]
  scores: readonly number[]
  candidates: number
}

const DOCUMENTS = 5
const MINUTES_PER_DAY = 1440
const MINUTE_MS = 60_000
const POPULAR_QUERIES = 40

export const drawRerankTenants = (count: number, seed: number): RerankTenant[] => {
  const random = createRandom(seed)
  const scales = ['raw', 'probability', 'exponential'] as const
  return Array.from({ length: count }, () => ({
    queriesPerMinute: Math.min(8, Math.max(0.02, Math.exp(-0.7 + 1.2 * random.normal()))),
    hourSwing: 0.4 * random.uniform(),
    dayWalk: 0.03 * random.uniform(),
    latentSd: 0.3 * random.uniform(),
    repeatShare: random.uniform() < 0.5 ? 0.3 * random.uniform() : 0,
    phase: random.uniform(),
    scale: scales[random.integer(0, scales.length)]!
  }))
}

export type RerankRun = {
  tenant: RerankTenant
  startMs: number
  days: number
  change: RerankChange | null
  seed: number
}

/** Plays a tenant; `visit` gets each minute that has queries, in order. */
export const playReranks = (
  { tenant, startMs, days, change, seed }: RerankRun,
  visit: (minuteMs: number, queries: RankedQuery[]) => void
): void => {
  const random = createRandom(seed)
  const state = { walk: 0, latent: 0, asked: 0 }
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    if (minute % MINUTES_PER_DAY === 0) state.walk += tenant.dayWalk * random.normal()
    state.latent = 0.95 * state.latent + 0.31 * tenant.latentSd * random.normal()
    const wave = Math.cos(2 * Math.PI * (minute / MINUTES_PER_DAY - tenant.phase))
    const mean = state.walk + state.latent + tenant.hourSwing * wave
    const count = random.poisson(tenant.queriesPerMinute * Math.exp(0.7 * wave - 0.1))
    if (count === 0) continue
    const active = change !== null && minute >= change.minute ? change : null
    const queries = Array.from({ length: count }, (_, n) => {
      const repeated = random.uniform() < tenant.repeatShare
      const query = repeated ? random.integer(0, POPULAR_QUERIES) : POPULAR_QUERIES + state.asked++
      const ms = startMs + minute * MINUTE_MS + Math.floor((n * MINUTE_MS) / count)
      // The same query gives the same list, whenever it is asked.
      const own = repeated ? createRandom(1_000_003 * (query + 1) + seed) : random
      return rank({ query, ms, mean: repeated ? 0 : mean }, own, tenant, active)
    })
    visit(startMs + minute * MINUTE_MS, queries)
  }
}

type Asked = { query: number; ms: number; mean: number }

const rank = (
  { query, ms, mean }: Asked,
  random: Random,
  { scale }: RerankTenant,
  change: RerankChange | null
): RankedQuery => {
  const level = mean + random.normal() + (change?.shift ?? 0)
  const relevances = Array.from({ length: DOCUMENTS }, () => level - random.exponential(0.6))
  const documents = relevances.map((_, i) => {
    const isOther = change !== null && random.uniform() < change.replaced
    return `${isOther ? 'other' : 'doc'}-${query}-${i}`
  })
  return {
    ms,
    query: `q${query}`,
    documents,
    scores: relevances.sort((a, b) => b - a).map((relevance) => scaled(relevance, scale)),
    candidates: 50
  }
}

const scaled = (relevance: number, scale: RerankTenant['scale']): number => {
  if (scale === 'probability') return 1 / (1 + Math.exp(-relevance))
  return scale === 'exponential' ? 100 * Math.exp(2 * relevance) : relevance
}
