import type { Dialect, HashField, Kind, NameGroup, TextField } from './dialect.ts'
import { genAi } from './dialects/gen-ai.ts'
import { langfuse } from './dialects/langfuse.ts'
import { openInference } from './dialects/openinference.ts'
import { openLlmetry } from './dialects/openllmetry.ts'
import { tally } from './dialects/tally.ts'
import { vercelAi } from './dialects/vercel-ai.ts'

/**
 * What the dialects say together, merged once for all spans: a span may carry attributes of
 * several, and then the first in order holds.
 */

/** In the order in which they are asked what a span is; the most specific first. */
export const KIND_ORDER: readonly Dialect[] = [
  vercelAi,
  openInference,
  openLlmetry,
  langfuse,
  genAi
]
/** In the order in which their names are looked for. */
export const FIELD_ORDER: readonly Dialect[] = [
  tally,
  genAi,
  openInference,
  openLlmetry,
  vercelAi,
  langfuse
]

const namesOf = (read: (dialect: Dialect) => readonly string[] | undefined): readonly string[] =>
  FIELD_ORDER.flatMap((dialect) => read(dialect) ?? [])

const TEXT_FIELDS: readonly TextField[] = [
  'tenant',
  'project',
  'team',
  'user',
  'conversation_id',
  'request_id',
  'response_id',
  'provider',
  'request_model',
  'response_model',
  'service_tier',
  'route',
  'prompt_version',
  'component_version'
]

export const TEXTS = TEXT_FIELDS.map(
  (field) => [field, namesOf((one) => one.text?.[field])] as const
)

/** Fields that a process sets once for all of its spans. */
export const RESOURCE_FIELDS: ReadonlySet<TextField> = new Set([
  'tenant',
  'project',
  'team',
  'route'
])

const hashNames = (fields: readonly HashField[]): (readonly [HashField, readonly string[]])[] =>
  fields.map((field) => [field, namesOf((one) => one.hash?.[field])] as const)

/** Content of which the hash is kept, for the kinds whose identity it makes. */
export const HASHES: Partial<Record<Kind, (readonly [HashField, readonly string[]])[]>> = {
  tool: hashNames(['args_hash', 'result_hash']),
  llm: hashNames(['system_prompt_hash', 'tools_hash'])
}

const namesByKind = new Map<Kind, readonly string[]>()

/** Attributes that name the tool, agent, index … of a step of a kind. */
export const namesFor = (kind: Kind): readonly string[] => {
  const known = namesByKind.get(kind) ?? namesOf((one) => one.name?.[kind])
  namesByKind.set(kind, known)
  return known
}

export const TENANTS = namesOf((one) => one.text?.tenant)
export const ERROR_TYPES = namesOf((one) => one.text?.error_type)
export const TTFT_SECONDS = namesOf((one) => one.ttftSeconds)
export const TTFT_MS = namesOf((one) => one.ttftMs)
export const TEMPERATURES = namesOf((one) => one.temperature)
export const STOPS = namesOf((one) => one.stop)
export const COSTS = namesOf((one) => one.cost)
export const USAGE_PREFIXES = namesOf((one) => one.usage)
export const TAG_PREFIXES = namesOf((one) => one.tags)

export type SaidNames = readonly NameGroup[]
const saidNames = (side: 'in' | 'out'): SaidNames =>
  FIELD_ORDER.flatMap(({ said }) => said?.[side] ?? [])
export const SAID = { in: saidNames('in'), out: saidNames('out') }
export const STATUSES: readonly string[] = ['http.response.status_code', 'http.status_code']
