import type { TOKEN_FIELDS } from '../../../schemas/tokens.ts'
import type { Source } from './count.ts'

/** Whether a count is part of the count above it or stands beside it. */
export type Side = 'inside' | 'outside'

/** Usage blocks fall into few shapes; the provider then decides between conventions. */
export type Family =
  | 'chat'
  | 'input-output'
  | 'camel'
  | 'gemini'
  | 'interactions'
  | 'invocation'
  | 'cohere'
  | 'ollama'
  | 'generate'
  | 'attributes'
  | 'total'
  | 'duration'

export type Modality = Extract<
  (typeof TOKEN_FIELDS)[number],
  | 'in_audio'
  | 'in_image'
  | 'in_video'
  | 'in_cached_audio'
  | 'in_cached_image'
  | 'out_audio'
  | 'out_image'
>

export type CacheTtl = '5m' | '30m' | '1h' | '12h'

/**
 * How one API of one provider reports usage: where each count stands, and which counts include
 * which. The arithmetic of the block itself is checked against it for every block.
 */
export type UsageRule = {
  family: Family
  /** Provider by its OpenTelemetry name; null where many providers share the API. */
  provider: string | null
  api: string
  /** Other names of `api` that callers use. */
  apiNames?: readonly string[]
  /** Keys of the usage block that only this provider sends; they tell it when none is named. */
  marks?: readonly string[]
  /** Software whose blocks follow this rule whatever the provider. */
  emitters?: readonly RegExp[]

  prompt: readonly Source[]
  completion: readonly Source[]
  total: readonly Source[]
  cacheRead: readonly Source[]
  cacheWrite: readonly Source[]
  cacheWriteByTtl?: Partial<Record<CacheTtl, readonly Source[]>>
  reasoning: readonly Source[]
  toolUse?: readonly Source[]

  cache: Side
  reasoningSide: Side
  /** Reasoning of this API has been seen on either side; the total decides without a warning. */
  reasoningVaries?: true
  /** The stated total leaves these out, so it can not be held against them. */
  totalOmits?: 'cache' | 'reasoning'
  /** What the total holds beyond its parts is reasoning (Gemini behind an OpenAI front). */
  remainderIsReasoning?: true
  /** Fields from which a cache count is taken only with a warning. */
  undocumented?: readonly Source[]
  /** Cache misses: with the hits they must add up to the prompt. */
  cacheMiss?: readonly Source[]

  modalities?: Partial<Record<Modality, readonly Source[]>>
  units?: Readonly<Record<string, readonly Source[]>>
  /** List of sub-inferences, each a block of the same shape. */
  iterations?: string
  /** Token-like fields that are understood and add nothing to any bucket. */
  ignores?: readonly string[]
}

const names = new WeakMap<UsageRule, Map<string, string>>()

/** Names a convention in a word that stays the same for all rows that follow it. */
export const conventionName = (
  rule: UsageRule,
  sides: { cache: Side; reasoning: Side }
): string => {
  let known = names.get(rule)
  if (known === undefined) {
    known = new Map()
    names.set(rule, known)
  }
  const key = sides.cache === 'inside' ? sides.reasoning : `not-${sides.reasoning}`
  let name = known.get(key)
  if (name === undefined) {
    name = `${rule.provider ?? 'any'}/${rule.api} cache-${sides.cache} reasoning-${sides.reasoning}`
    known.set(key, name)
  }
  return name
}
