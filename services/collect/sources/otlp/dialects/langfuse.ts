import type { Candidate } from '../../source.ts'
import type { TokenField } from '../../../../../schemas/tokens.ts'
import { isRecord, structureOf, textOf, type Attributes } from '../attributes.ts'
import type { Dialect, Kind } from '../dialect.ts'
import { decimalText } from '../../../label.ts'

/** Langfuse's attribute spellings (langfuse `OtelIngestionProcessor`, SDK v3). */

const TYPES: Readonly<Record<string, Kind>> = {
  generation: 'llm',
  embedding: 'embedding',
  tool: 'tool',
  retriever: 'retrieval',
  guardrail: 'guardrail',
  evaluator: 'evaluation',
  agent: 'agent',
  chain: 'agent'
}

const kindOf = (attributes: Attributes): Kind | null => {
  const type = textOf(attributes, ['langfuse.observation.type'])?.toLowerCase() ?? ''
  return Object.hasOwn(TYPES, type) ? (TYPES[type] ?? null) : null
}

/** Langfuse stores disjoint counts under these keys; `input` and `output` are net of the rest. */
const DETAIL_KEYS: Readonly<Record<string, TokenField>> = {
  input: 'in_uncached',
  input_cached_tokens: 'in_cache_read',
  input_cache_read: 'in_cache_read',
  cache_read_input_tokens: 'in_cache_read',
  input_cache_creation: 'in_cache_write_unk',
  cache_creation_input_tokens: 'in_cache_write_unk',
  input_cache_creation_5m: 'in_cache_write_5m',
  input_cache_creation_1h: 'in_cache_write_1h',
  output: 'out_text',
  output_reasoning: 'out_reasoning',
  output_reasoning_tokens: 'out_reasoning'
}

type Buckets = Partial<Record<TokenField, number>>

/**
 * Counts under Langfuse's own keys. A block with the provider's names (`input_tokens`,
 * `prompt_tokens`) is the provider's, and read as such.
 */
const countsOf = (details: Readonly<Record<string, unknown>>): Candidate => {
  if (!Object.hasOwn(details, 'input') && !Object.hasOwn(details, 'output')) return {}
  const tokens: Buckets = {}
  for (const [key, bucket] of Object.entries(DETAIL_KEYS)) {
    const value = Object.hasOwn(details, key) ? details[key] : undefined
    if (typeof value === 'number') tokens[bucket] = value
  }
  const net = netInput(tokens, details['total'])
  if (net === null) return { tokens, usage_convention: 'langfuse/usage_details disjoint' }
  return {
    tokens: { ...tokens, in_uncached: net },
    usage_convention: 'langfuse/usage_details cache-inside'
  }
}

/**
 * Some senders put the whole input under `input`, cache and all: the total tells, which then is
 * input and output without the cache. Null when the counts are disjoint, as they should be.
 */
const netInput = (tokens: Buckets, total: unknown): number | null => {
  const { in_uncached = 0, in_cache_read = 0, out_text = 0, out_reasoning = 0 } = tokens
  const { in_cache_write_unk = 0, in_cache_write_5m = 0, in_cache_write_1h = 0 } = tokens
  const cache = in_cache_read + in_cache_write_unk + in_cache_write_5m + in_cache_write_1h
  const isInclusive = cache > 0 && total === in_uncached + out_text + out_reasoning
  return isInclusive && in_uncached >= cache ? in_uncached - cache : null
}

const structure: NonNullable<Dialect['structure']> = (attributes) => {
  const event: Candidate = {}
  const details = structureOf(attributes.get('langfuse.observation.usage_details'))
  if (isRecord(details)) {
    event.usage = details
    Object.assign(event, countsOf(details))
  }
  const costs = structureOf(attributes.get('langfuse.observation.cost_details'))
  const total = isRecord(costs) ? decimalText(costs['total']) : null
  if (total !== null) event.cost_reported_usd = total
  const parameters = structureOf(attributes.get('langfuse.observation.model.parameters'))
  const temperature = isRecord(parameters) ? parameters['temperature'] : null
  if (typeof temperature === 'number') event.temperature = temperature
  return event
}

export const langfuse: Dialect = {
  kind: kindOf,
  text: {
    user: ['langfuse.user.id', 'langfuse.trace.user.id'],
    conversation_id: ['langfuse.session.id', 'langfuse.trace.session.id'],
    request_model: ['langfuse.observation.model.name'],
    prompt_version: ['langfuse.observation.prompt.version'],
    component_version: ['langfuse.version']
  },
  hash: {
    args_hash: ['langfuse.observation.input'],
    result_hash: ['langfuse.observation.output']
  },
  said: { in: [['langfuse.observation.input']], out: [['langfuse.observation.output']] },
  tags: ['langfuse.trace.metadata.'],
  structure
}
