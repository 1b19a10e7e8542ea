import { readBlock, type Counted } from './block-counts.ts'
import { costReported } from './cost.ts'
import { addUnits } from './extra-units.ts'
import type { Facts } from './facts.ts'
import { readBreakdown } from './iterations.ts'
import type { Json } from './json.ts'
import { canonicalProvider } from './provider-name.ts'
import { readBody, type Reading } from './read-body.ts'
import type { Claim } from './resolve.ts'
import { responseFacts, type ResponseFacts } from './response-facts.ts'
import { unknownTokens, type TokenCounts } from './tokens.ts'
import { Notes, type Confidence } from './warnings.ts'

/**
 * A usage block, response body, stream transcript or error body to read. `body` is parsed JSON,
 * a list of events, or text of either. What is null or absent is worked out from the body.
 */
export type NormalizeInput = {
  provider?: string | null
  api?: string | null
  /** The model that was asked for. */
  model?: string | null
  body: unknown
  /** Software that wrote the block, as `name@version`, where it is not the provider. */
  emitter?: string | null
  /** HTTP status and headers of the response, where the caller knows them. */
  status?: number | null
  headers?: Json | null
}

export type UsageSource = 'provider_final' | 'provider_partial' | 'none'

export type Normalized = {
  provider: string | null
  api: string | null
  request_model: string | null
  /** The shape of `tokens` in a native event. */
  tokens: TokenCounts
  convention: string | null
  confidence: Confidence
  warnings: string[]
  usage_source: UsageSource
  queue_ms: number | null
  cost_reported_usd: string | null
  /** The block that was read, merged where it came in pieces. */
  usage: Json | null
} & ResponseFacts

/** Reads any provider's usage into disjoint buckets. Pure, and never throws. */
export const normalize = (input: NormalizeInput): Normalized => {
  const notes = new Notes()
  const http = { status: input.status ?? null, headers: input.headers ?? null }
  return normalizeReading(input, readBody(input.body, http, notes), notes)
}

/** The second half of `normalize`, for readings that were made piece by piece. */
export const normalizeReading = (
  input: Omit<NormalizeInput, 'body'>,
  reading: Reading,
  notes: Notes
): Normalized => {
  const block = reading.usage?.block ?? null
  const counted =
    block === null ? null : readBlock(block, claimOf(input, reading.facts), reading, notes)
  const tokens = counted === null ? unknownTokens() : counted.tokens
  tokens.units = addUnits(tokens.units, reading.facts, notes)
  const { breakdown } = reading.facts
  if (breakdown !== null) tokens.iterations ??= readBreakdown(breakdown, tokens, notes)
  const names = nameUsage(input, counted)
  const facts = responseFacts(reading)
  // One literal and no spreads: this runs for every event.
  return {
    provider: names.provider,
    api: names.api,
    request_model: names.request_model,
    response_model: servedBy(counted) ?? facts.response_model,
    response_id: facts.response_id,
    request_id: facts.request_id,
    tokens,
    convention: names.convention,
    confidence: counted === null ? 'none' : notes.confidence,
    warnings: notes.list(),
    usage_source: sourceOf(reading),
    stop_reason: facts.stop_reason,
    stop_class: facts.stop_class,
    refusal: facts.refusal,
    service_tier: facts.service_tier,
    speed: facts.speed,
    region: facts.region,
    batch: facts.batch,
    system_fingerprint: facts.system_fingerprint,
    queue_ms: queueMs(block),
    cache_miss_reason: facts.cache_miss_reason,
    cache_missed_tokens: facts.cache_missed_tokens,
    cost_reported_usd: costReported(block),
    provider_error: facts.provider_error,
    usage: block
  }
}

/** After a fallback inside the provider, a stream still begins with the model that declined. */
const servedBy = (counted: Counted | null): string | null => {
  const iterations = counted?.tokens.iterations ?? null
  if (iterations === null) return null
  return iterations.find(({ type }) => type === 'fallback_message')?.model ?? null
}

const nameUsage = (
  input: Omit<NormalizeInput, 'body'>,
  counted: Counted | null
): Pick<Normalized, 'provider' | 'api' | 'request_model' | 'convention'> => ({
  provider: input.provider ?? counted?.provider ?? null,
  api: input.api ?? counted?.rule.api ?? null,
  request_model: input.model ?? null,
  convention: counted === null ? null : counted.convention
})

const claimOf = (input: Omit<NormalizeInput, 'body'>, facts: Facts): Claim => ({
  provider: canonicalProvider(input.provider ?? null),
  api: input.api ?? null,
  model: facts.response_model ?? input.model ?? null,
  emitter: input.emitter ?? null
})

const sourceOf = (reading: Reading): UsageSource => {
  if (reading.usage === null) return 'none'
  return reading.partial ? 'provider_partial' : 'provider_final'
}

/** Groq reports its queue in seconds. */
const queueMs = (block: Json | null): number | null => {
  const seconds = block?.['queue_time']
  return typeof seconds === 'number' && seconds >= 0 && seconds < 86_400
    ? Math.round(seconds * 1000)
    : null
}
