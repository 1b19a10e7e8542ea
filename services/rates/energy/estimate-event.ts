import { COMPUTED_INPUT, isServed } from './call-sql.ts'
import { TIERS, type EnergyTier } from './deployment-figures.ts'
import { ENGINE_CURRENT_YEAR } from './deployment.ts'
import { estimateCall } from './estimate.ts'
import { perToken } from './inter-token.ts'
import type { KnownDeployments } from './known-deployments.ts'

/** Columns of one event; what is absent or null is not reported. Its time is in microseconds. */
type EventColumns = Readonly<Record<string, unknown>>

/** Energy of one event in whole microjoules, as landing writes it. */
export type EventEnergy = { low: number; mid: number; high: number; tier: EnergyTier }

/** Estimates one event by the rules of `call-sql.ts`; null for what no model serves or tells no output. */
export const estimateEvent = (event: EventColumns, known: KnownDeployments): EventEnergy | null => {
  const kind = wordOf(event['kind'])
  const out = outOf(event, kind)
  if (!isServed(kind) || Number.isNaN(out)) return null
  const figures = known.figuresOf({
    model: wordOf(event['response_model']),
    gpu: wordOf(event['gpu']),
    precision: wordOf(event['precision']),
    gpuCount: typeof event['n_gpus'] === 'number' ? event['n_gpus'] : null,
    engineYear: ENGINE_CURRENT_YEAR - (numberOf(event['time']) < CURRENT_US ? 1 : 0)
  })
  const cached = numberOf(event['in_cache_read'])
  const { low, mid, high, tierCode } = estimateCall(figures, {
    uncached: uncachedOf(event, cached),
    cached,
    out,
    concurrency: numberOf(event['concurrency']),
    interTokenMs: perToken(
      numberOf(event['duration_ms']),
      numberOf(event['ttft_ms']),
      out,
      numberOf(event['out_reasoning'])
    )
  })
  return {
    low: microjoules(low),
    mid: microjoules(mid),
    high: microjoules(high),
    tier: TIERS[tierCode]!
  }
}

const CURRENT_US = Date.UTC(ENGINE_CURRENT_YEAR) * 1000

const wordOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN)
const microjoules = (joules: number): number => Math.round(joules * 1e6)

/** Sum of what is known; NaN where nothing is. */
const sumOf = (event: EventColumns, columns: readonly string[]): number => {
  const known = columns.map((name) => numberOf(event[name])).filter((value) => !Number.isNaN(value))
  return known.length === 0 ? Number.NaN : known.reduce((sum, value) => sum + value, 0)
}

const outOf = (event: EventColumns, kind: string | null): number => {
  const total = numberOf(event['out_total'])
  const out = Number.isNaN(total) ? sumOf(event, ['out_text', 'out_reasoning']) : total
  return Number.isNaN(out) && kind === 'embedding' ? 0 : out
}

const uncachedOf = (event: EventColumns, cached: number): number => {
  const sum = sumOf(event, COMPUTED_INPUT)
  if (!Number.isNaN(numberOf(event['in_uncached']))) return sum
  const rest = numberOf(event['in_total']) - (cached || 0)
  return rest > 0 && !(sum >= rest) ? rest : sum
}
