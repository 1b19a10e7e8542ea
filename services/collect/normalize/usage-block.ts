import { firstOf, isObject, objectAt, type Json } from './json.ts'
import { familyOf } from './resolve.ts'
import type { Family } from './rule.ts'

/**
 * Finds the usage block of a response, of one event of a stream, or of a wrapper around either.
 * Only the places where providers put it are looked at: texts and tool arguments may contain
 * anything.
 */
export type Found = {
  /** Where it stood; events of a stream are merged place by place. */
  slot: string
  block: Json
  family: Family
}

const DIRECT = [
  'usage',
  'usageMetadata',
  'usage_metadata',
  'usage_object',
  'token_usage',
  'tokenUsage'
] as const

/** Usage blocks that stand one level down, beside others that count the same call. */
const NESTED: readonly (readonly [string, string])[] = [
  ['metadata', 'usage'],
  ['delta', 'usage'],
  ['message', 'usage'],
  ['response_metadata', 'usage'],
  ['response_metadata', 'token_usage'],
  ['metadata', 'usage_object'],
  ['x_groq', 'usage']
]

/** Places in order of trust; the first that holds a readable block wins. */
export const SLOT_ORDER: readonly string[] = [
  ...DIRECT,
  ...NESTED.map(([outer, inner]) => `${outer}.${inner}`),
  'choices.usage',
  'meta',
  'bare',
  'details',
  'meta_info',
  'results',
  'amazon-bedrock-invocationMetrics'
]

export const findUsage = (body: Json): Found[] => {
  const found: Found[] = []
  for (const slot of DIRECT) add(found, slot, body[slot])
  if (found.length === 0) {
    for (const [outer, inner] of NESTED) {
      const holder = body[outer]
      if (isObject(holder)) add(found, `${outer}.${inner}`, holder[inner])
    }
    addChoice(found, body)
    addMeta(found, body)
    add(found, 'bare', body)
    add(found, 'details', body['details'])
    // SGLang's own API, and watsonx.
    add(found, 'meta_info', body['meta_info'])
    add(found, 'results', firstOf(body, 'results'))
  }
  add(found, 'amazon-bedrock-invocationMetrics', body['amazon-bedrock-invocationMetrics'])
  return found
}

const add = (found: Found[], slot: string, value: unknown): void => {
  if (!isObject(value)) return
  const family = familyOf(value)
  if (family !== null) found.push({ slot, block: value, family })
}

/** Moonshot ends a stream with the usage inside the choice. */
const addChoice = (found: Found[], body: Json): void => {
  const choice = firstOf(body, 'choices')
  if (isObject(choice)) add(found, 'choices.usage', choice['usage'])
}

/** Cohere's rerank, embed and v1 chat put billed units and tokens into `meta`. */
const addMeta = (found: Found[], body: Json): void => {
  const meta = objectAt(body, 'meta')
  if (meta === null) return
  const billed = objectAt(meta, 'billed_units') ?? objectAt(meta, 'tokens')
  if (billed !== null) found.push({ slot: 'meta', block: meta, family: 'cohere' })
}

/** True where a usage field is there but holds something that no rule can read. */
export const hasStrayUsage = (body: Json): boolean =>
  DIRECT.some((slot) => body[slot] !== undefined && body[slot] !== null)

/** Wrappers around one response, by the keys that lead to it. */
const WRAPPERS: readonly { path: readonly string[]; batch: boolean }[] = [
  { path: ['response', 'body'], batch: true },
  { path: ['result', 'message'], batch: true },
  { path: ['response'], batch: false },
  { path: ['interaction'], batch: false }
]

/**
 * Takes batch lines and events off the response that they carry. The inner object counts only if
 * it looks like a response, so that a tool's answer under the same key is not taken for one.
 */
export const unwrap = (body: Json): { body: Json; batch: boolean } => {
  if (DIRECT.some((slot) => isObject(body[slot]))) return { body, batch: false }
  for (const { path, batch } of WRAPPERS) {
    let inner: unknown = body
    for (const key of path) inner = isObject(inner) ? inner[key] : undefined
    if (isObject(inner) && isResponse(inner)) return { body: inner, batch: batch || isBatch(body) }
  }
  return { body, batch: false }
}

const isBatch = (body: Json): boolean =>
  typeof body['custom_id'] === 'string' || typeof body['key'] === 'string'

const RESPONSE_KEYS = [
  'model',
  'modelVersion',
  'candidates',
  'choices',
  'status',
  'object',
  'error'
]

const isResponse = (inner: Json): boolean =>
  findUsage(inner).length > 0 || RESPONSE_KEYS.some((key) => inner[key] !== undefined)
