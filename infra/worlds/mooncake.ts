import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { createRandom, type Random } from './random.ts'
import { TENANTS, type Call } from './culprit.ts'
import { replay, type Served } from './prefix-cache.ts'

/**
 * A real hour of prefixes (Mooncake's conversation trace) dealt to twenty tenants of skewed sizes.
 * Half way one of them changes the shape of its prompts; the same hour without that is the truth.
 */

export const TRACE_SHIFTS = ['uuid_head', 'rag_before_history', 'rate_x4'] as const
export type TraceShift = (typeof TRACE_SHIFTS)[number]

export const TRACE_CHANGE_MINUTE = 30
const CHANGE_SECOND = TRACE_CHANGE_MINUTE * 60
/** Blocks that the cache holds: some tenants then live from what others leave. */
const CAPACITY_BLOCKS = 12_000
/** Others must lose this share of their cached tokens, or it is no incident. */
const HARM_MIN = 0.1
/** Share of its input that a victim loses at least. */
const VICTIM_LOSS_MIN = 0.05
const SKEW = 0.6
/** First ids of blocks that no trace holds. */
const FRESH = 100_000_000
const COPIES = 1_000_000_000

export type TraceRow = { second: number; chain: number[]; root: number }

export const readTrace = async (file: URL): Promise<TraceRow[]> => {
  const lines = gunzipSync(await readFile(file))
    .toString()
    .trim()
    .split('\n')
  return lines
    .map((line) => JSON.parse(line) as { timestamp: number; hash_ids: number[] })
    .map(({ timestamp, hash_ids: ids }) => ({
      second: timestamp / 1000,
      // The last block is partial: never cached.
      chain: ids.slice(0, -1),
      root: ids[1] ?? ids[0] ?? 0
    }))
    .filter(({ chain }) => chain.length > 0)
}

/** Which tenant each conversation belongs to. */
export const dealTrace = (trace: readonly TraceRow[], seed: number): Map<number, number> => {
  const random = createRandom(seed)
  const weights = Array.from({ length: TENANTS }, () => random.gamma(SKEW, 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const tenants = new Map<number, number>()
  for (const { root } of trace) {
    if (!tenants.has(root)) tenants.set(root, drawTenant(random, weights, total))
  }
  return tenants
}

const drawTenant = (random: Random, weights: readonly number[], total: number): number => {
  let left = random.uniform() * total
  for (const [tenant, weight] of weights.entries()) {
    left -= weight
    if (left <= 0) return tenant
  }
  return weights.length - 1
}

const callsOf = (
  trace: readonly TraceRow[],
  tenants: ReadonlyMap<number, number>,
  culprit: { tenant: number; shift: TraceShift } | null
): Call[] => {
  let next = FRESH
  const fresh = (count: number): number[] => Array.from({ length: count }, () => next++)
  const calls = trace.flatMap(({ second, chain, root }): Call[] => {
    const tenant = tenants.get(root) ?? 0
    const plain = { second, tenant, chain }
    if (culprit?.tenant !== tenant || second < CHANGE_SECOND) return [plain]
    if (culprit.shift === 'uuid_head') return [{ ...plain, chain: fresh(chain.length) }]
    if (culprit.shift === 'rag_before_history') {
      return [{ ...plain, chain: [...chain.slice(0, 1), ...fresh(16 + chain.length - 1)] }]
    }
    const copies = [0, 1, 2].map((copy) => ({
      second: second + 5 * copy + 1,
      tenant,
      chain: [chain[0]!, ...chain.slice(1).map((block) => COPIES + copy * FRESH + block)]
    }))
    return [plain, ...copies]
  })
  return calls.sort((a, b) => a.second - b.second)
}

export type TraceIncident = { served: Served[]; culprit: number; victims: number[] }

/** The ten heaviest tenants as culprits, one after the other; only those that harm others. */
export function* traceIncidents(
  trace: readonly TraceRow[],
  seed: number,
  shift: TraceShift
): Generator<TraceIncident> {
  const tenants = dealTrace(trace, seed)
  const quiet = ratesAfter(replay(callsOf(trace, tenants, null), CAPACITY_BLOCKS))
  const heaviest = [...quiet.all.keys()].sort((a, b) => quiet.all[b]! - quiet.all[a]!).slice(0, 10)
  for (const culprit of heaviest) {
    const served = replay(callsOf(trace, tenants, { tenant: culprit, shift }), CAPACITY_BLOCKS)
    const shifted = ratesAfter(served)
    const others = [...quiet.cached.keys()].filter((tenant) => tenant !== culprit)
    const lost = (tenant: number): number =>
      Math.max(0, quiet.cached[tenant]! - shifted.cached[tenant]!)
    const sum = (of: (tenant: number) => number): number =>
      others.reduce((total, tenant) => total + of(tenant), 0)
    if (sum(lost) < HARM_MIN * sum((tenant) => quiet.cached[tenant]!)) continue
    const victims = others.filter(
      (tenant) => lost(tenant) > VICTIM_LOSS_MIN * Math.max(1, shifted.input[tenant]!)
    )
    yield { served, culprit, victims }
  }
}

type Rates = { all: number[]; input: number[]; cached: number[] }

const ratesAfter = (served: readonly Served[]): Rates => {
  const zeros = (): number[] => Array.from({ length: TENANTS }, () => 0)
  const rates: Rates = { all: zeros(), input: zeros(), cached: zeros() }
  for (const { second, tenant, inputTokens, cachedTokens } of served) {
    rates.all[tenant]! += inputTokens
    if (second < CHANGE_SECOND) continue
    rates.input[tenant]! += inputTokens
    rates.cached[tenant]! += cachedTokens
  }
  return rates
}
