import { toCount } from './count.ts'
import type { Facts } from './facts.ts'
import type { ProviderError } from './provider-error.ts'
import type { Reading } from './read-body.ts'
import { stopClassOf, type StopClass } from './stop.ts'
import { Notes } from './warnings.ts'

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

/** What a reading says beside its counts, with stop reasons classed. */
export const responseFacts = (reading: Reading): ResponseFacts => {
  const { facts, error } = reading
  const stop = stopOf(reading)
  return {
    response_model: facts.response_model,
    response_id: facts.response_id,
    request_id: facts.request_id ?? error?.request_id ?? null,
    stop_reason: facts.stop_reason,
    stop_class: stop,
    refusal: refusalOf(stop),
    service_tier: tierOf(facts),
    speed: facts.speed,
    region: facts.region,
    batch: reading.batch || facts.service_tier === 'batch' ? true : null,
    system_fingerprint: facts.system_fingerprint,
    cache_miss_reason: facts.cache_miss_reason,
    cache_missed_tokens: missedTokens(facts),
    provider_error: error
  }
}

/** Anthropic's fast mode is a tier of its own in price, told beside the standard one. */
const tierOf = ({ service_tier: tier, speed }: Facts): string | null =>
  speed === 'fast' && (tier === null || tier === 'standard') ? 'fast' : tier

/** Of no weight for the counts, so an odd value is dropped without a word. */
const missedTokens = (facts: Facts): number | null =>
  facts.cache_missed_tokens === null
    ? null
    : toCount(facts.cache_missed_tokens, 'cache_missed_tokens', new Notes())

const stopOf = ({ facts, error }: Reading): StopClass | null => {
  if (error !== null) return error.class === 'content_filter' ? 'refusal_provider_filter' : 'error'
  const stop = stopClassOf(facts.stop_reason)
  if (!facts.refused) return stop === 'complete' && facts.called ? 'tool' : stop
  const isFilter = stop === 'refusal_provider_filter' || stop === 'guardrail'
  if (isFilter) return stop
  return facts.stop_reason !== null && stop === 'error'
    ? 'refusal_provider_filter'
    : 'refusal_model'
}

const refusalOf = (stop: StopClass | null): boolean | null =>
  stop === null ? null : stop === 'refusal_model' || stop === 'refusal_provider_filter'
