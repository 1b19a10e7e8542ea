import { costReported } from './cost.ts'
import { toCount } from './count.ts'
import type { Facts } from './facts.ts'
import { readIterations } from './iterations.ts'
import { isObject, objectAt, type Json } from './json.ts'
import { checkFields } from './known-fields.ts'
import { canonicalProvider } from './provider-name.ts'
import type { ProviderError } from './provider-error.ts'
import { readBody, type Reading } from './read-body.ts'
import { checkNames, familyOf, ruleFor, type Claim } from './resolve.ts'
import type { UsageRule } from './rule.ts'
import { stopClassOf, type StopClass } from './stop.ts'
import { readTokens, timeUnits, unknownTokens, type TokenCounts, type Units } from './tokens.ts'
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

/** What the response says beside its counts. */
export type ResponseFacts = {
  response_model: string | null
  response_id: string | null
  request_id: string | null
  stop_reason: string | null
  stop_class: StopClass | null
  refusal: boolean | null
  service_tier: string | null
  speed: string | null
  region: string | null
  batch: boolean | null
  system_fingerprint: string | null
  cache_miss_reason: string | null
  cache_missed_tokens: number | null
  provider_error: ProviderError | null
}

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
  const { facts } = reading
  const block = reading.usage?.block ?? null
  const counted = block === null ? null : readBlock(block, claimOf(input, facts), reading, notes)
  const tokens = counted?.tokens ?? unknownTokens()
  tokens.units = addUnits(tokens.units, facts, notes)
  return {
    provider: input.provider ?? counted?.provider ?? null,
    api: input.api ?? counted?.rule.api ?? null,
    request_model: input.model ?? null,
    tokens,
    convention: counted === null ? null : counted.convention,
    confidence: counted === null ? 'none' : notes.confidence,
    warnings: notes.list(),
    usage_source: sourceOf(reading),
    queue_ms: queueMs(block),
    cost_reported_usd: costReported(block),
    usage: block,
    ...responseFacts(reading)
  }
}

const responseFacts = (reading: Reading): ResponseFacts => {
  const { facts, error } = reading
  const stop = stopOf(reading)
  return {
    response_model: facts.response_model,
    response_id: facts.response_id,
    request_id: facts.request_id ?? error?.request_id ?? null,
    stop_reason: facts.stop_reason,
    stop_class: stop,
    refusal: refusalOf(stop),
    service_tier: facts.service_tier,
    speed: facts.speed,
    region: facts.region,
    batch: reading.batch || facts.service_tier === 'batch' ? true : null,
    system_fingerprint: facts.system_fingerprint,
    cache_miss_reason: facts.cache_miss_reason,
    cache_missed_tokens: missedTokens(facts),
    provider_error: error
  }
}

/** Of no weight for the counts, so an odd value is dropped without a word. */
const missedTokens = (facts: Facts): number | null =>
  facts.cache_missed_tokens === null
    ? null
    : toCount(facts.cache_missed_tokens, 'cache_missed_tokens', new Notes())

const claimOf = (input: Omit<NormalizeInput, 'body'>, facts: Facts): Claim => ({
  provider: canonicalProvider(input.provider ?? null),
  api: input.api ?? null,
  model: facts.response_model ?? input.model ?? null,
  emitter: input.emitter ?? null
})

type Counted = {
  rule: UsageRule
  provider: string | null
  tokens: TokenCounts
  convention: string
}

const readBlock = (block: Json, claim: Claim, reading: Reading, notes: Notes): Counted | null => {
  const family = familyOf(block)
  if (family === null) return null
  const rule = ruleFor(family, claim, { block, body: reading.body }, notes)
  checkNames(claim, rule, notes)
  checkFields(block, rule, notes)
  const { tokens, convention } = readTokens(block, rule, notes)
  const inner = readInnerBlock(block, claim, reading, notes)
  if (inner !== null) {
    compareTotals(tokens, inner.tokens, notes)
    return inner
  }
  const model = claim.model
  tokens.iterations = readIterations(block, rule, { totals: tokens, model }, notes)
  if (family === 'total' && !isEmbedding(reading.body)) notes.add('total_only')
  checkForeign(claim, rule, tokens, notes)
  if (family === 'duration') tokens.units = timeUnits(block['seconds'], notes)
  checkBilled(tokens, notes)
  return { rule, provider: providerOf(rule, reading), tokens, convention }
}

/** The AI SDK hands on the provider's own block as `raw`: a better witness than its summary. */
const readInnerBlock = (
  block: Json,
  claim: Claim,
  reading: Reading,
  notes: Notes
): Counted | null => {
  const raw = block['raw']
  if (!isObject(raw) || raw['raw'] !== undefined || familyOf(raw) === null) return null
  return readBlock(raw, { ...claim, api: null, emitter: null }, { ...reading, body: raw }, notes)
}

const compareTotals = (outer: TokenCounts, inner: TokenCounts, notes: Notes): void => {
  const differ = (a: number | null, b: number | null): boolean =>
    a !== null && b !== null && a !== b
  if (differ(outer.in_total, inner.in_total) || differ(outer.out_total, inner.out_total)) {
    notes.add('witnesses_disagree', 'raw')
  }
}

const isEmbedding = (body: Json): boolean => Array.isArray(body['data'])

/** Plain camel case is Bedrock's only where the body or the block around it says so. */
const providerOf = (rule: UsageRule, reading: Reading): string | null => {
  if (rule.family !== 'camel' || rule.provider === null) return rule.provider
  const { body, usage } = reading
  const told =
    usage?.slot === 'metadata.usage' ||
    body['stopReason'] !== undefined ||
    body['$metadata'] !== undefined ||
    objectAt(body, 'output') !== null ||
    (rule.marks ?? []).some((mark) => usage?.block[mark] !== undefined)
  return told ? rule.provider : null
}

const NATIVE_SPEAKERS: readonly (string | null)[] = [
  null,
  'anthropic',
  'aws.bedrock',
  'gcp.gemini',
  'azure.ai.openai',
  'openrouter',
  'vllm'
]

/**
 * Others that offer the Messages API have been seen to count the cache inside the input. Where
 * both readings are possible, nothing in the block decides.
 */
const checkForeign = (claim: Claim, rule: UsageRule, tokens: TokenCounts, notes: Notes): void => {
  if (rule.api !== 'messages' || tokens.in_total === null || tokens.in_uncached === null) return
  const cached = tokens.in_total - tokens.in_uncached
  if (cached === 0 || cached > tokens.in_uncached) return
  const foreignModel = claim.model !== null && !claim.model.includes('claude')
  if (foreignModel || !NATIVE_SPEAKERS.includes(claim.provider)) notes.add('convention_ambiguous')
}

const checkBilled = (tokens: TokenCounts, notes: Notes): void => {
  const billedIn = tokens.units?.['billed_input_tokens']
  const billedOut = tokens.units?.['billed_output_tokens']
  const differs =
    (billedIn !== undefined && billedIn !== tokens.in_total) ||
    (billedOut !== undefined && billedOut !== tokens.out_total)
  if (differs) notes.add('billed_units_differ')
}

const addUnits = (units: Units | null, facts: Facts, notes: Notes): Units | null => {
  if (facts.fallback_credit === 'redeemed') notes.add('fallback_credit')
  if (facts.grounding_queries === 0 && facts.tool_usage === null) return units
  const all: Units = { ...units }
  if (facts.grounding_queries > 0) all['web_search'] = facts.grounding_queries
  if (facts.tool_usage !== null) addToolUsage(all, facts.tool_usage, notes)
  return Object.keys(all).length === 0 ? null : all
}

/** OpenAI Responses counts billable searches and image generation apart from `usage`. */
const addToolUsage = (units: Units, tools: Json, notes: Notes): void => {
  const image = objectAt(tools, 'image_gen')
  const counts: Record<string, unknown> = {
    web_search: objectAt(tools, 'web_search')?.['num_requests'],
    image_input_tokens: image?.['input_tokens'],
    image_output_tokens: image?.['output_tokens']
  }
  for (const name in counts) {
    const count = toCount(counts[name], `tool_usage.${name}`, notes)
    if (count !== null) units[name] = count
  }
}

const sourceOf = (reading: Reading): UsageSource => {
  if (reading.usage === null) return 'none'
  return reading.partial ? 'provider_partial' : 'provider_final'
}

const stopOf = ({ facts, error }: Reading): StopClass | null => {
  if (error !== null) return error.class === 'content_filter' ? 'refusal_provider_filter' : 'error'
  const stop = stopClassOf(facts.stop_reason)
  if (!facts.refused) return stop
  const isFilter = stop === 'refusal_provider_filter' || stop === 'guardrail'
  if (isFilter) return stop
  return facts.stop_reason !== null && stop === 'error'
    ? 'refusal_provider_filter'
    : 'refusal_model'
}

const refusalOf = (stop: StopClass | null): boolean | null =>
  stop === null ? null : stop === 'refusal_model' || stop === 'refusal_provider_filter'

/** Groq reports its queue in seconds. */
const queueMs = (block: Json | null): number | null => {
  const seconds = block?.['queue_time']
  return typeof seconds === 'number' && seconds >= 0 && seconds < 86_400
    ? Math.round(seconds * 1000)
    : null
}
