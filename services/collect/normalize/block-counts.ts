import { readIterations } from './iterations.ts'
import { isObject, objectAt, type Json } from './json.ts'
import { checkFields } from './known-fields.ts'
import type { Reading } from './read-body.ts'
import { checkNames, familyOf, ruleFor, type Claim } from './resolve.ts'
import type { UsageRule } from './rule.ts'
import { UNDECIDED_EMITTERS } from './rules/emitters.ts'
import { readTokens, timeUnits, type TokenCounts } from './tokens.ts'
import type { Notes } from './warnings.ts'

export type Counted = {
  rule: UsageRule
  provider: string | null
  tokens: TokenCounts
  convention: string
}

/** Reads a usage block by the rule that fits it; null where none does. */
export const readBlock = (
  block: Json,
  claim: Claim,
  reading: Reading,
  notes: Notes
): Counted | null => {
  const family = reading.usage?.block === block ? reading.usage.family : familyOf(block)
  if (family === null) return null
  const rule = ruleFor(family, claim, { block, body: reading.body }, notes)
  checkNames(claim, rule, notes)
  checkFields(block, rule, notes)
  const { tokens, convention } = readTokens(block, rule, notes)
  const inner = readInnerBlock(block, claim, reading, notes)
  if (inner !== null) {
    compareTotals(tokens, inner.tokens, notes)
    fillReasoning(tokens, inner.tokens)
    return inner
  }
  const model = claim.model
  tokens.iterations = readIterations(block, rule, { totals: tokens, model }, notes)
  // A lone input is what `count_tokens` answers, which is free and no usage.
  if (family === 'input-output' && tokens.out_total === null) notes.add('output_missing')
  if (isAllZero(tokens)) notes.add('usage_all_zero')
  if (family === 'total' && !isEmbedding(reading.body)) notes.add('total_only')
  checkForeign(claim, rule, tokens, notes)
  if (family === 'duration') tokens.units = timeUnits(block['seconds'], notes)
  if (family === 'cohere') checkBilled(block, tokens, notes)
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

/** The summary may know the split of an output that the block itself gives as one. */
const fillReasoning = (outer: TokenCounts, inner: TokenCounts): void => {
  if (inner.out_reasoning !== null || inner.out_total !== outer.out_total) return
  inner.out_reasoning = outer.out_reasoning
  inner.out_text = outer.out_text
}

/** Gateways write zeros where a client hung up and nobody counted. */
const isAllZero = ({ in_total: input, out_total: output, units }: TokenCounts): boolean =>
  input === 0 && (output ?? 0) === 0 && Object.values(units ?? {}).every((count) => count === 0)

const isEmbedding = (body: Json): boolean => Array.isArray(body['data'])

/** Plain camel case is Bedrock's only where the body or the block around it says so. */
const providerOf = (rule: UsageRule, reading: Reading): string | null => {
  if (rule.family !== 'camel' || rule.provider === null) return rule.provider
  const { body, usage } = reading
  const told =
    objectAt(objectAt(body, 'metadata'), 'usage') !== null ||
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

/** Makers whose models are served through a Messages API of their own. */
const FOREIGN_MODEL = /kimi|qwen|glm|minimax|moonshot|deepseek|grok|step-|doubao|ernie/i

/**
 * Others that offer the Messages API have been seen to count the cache inside the input. Where
 * both readings are possible, nothing in the block decides.
 */
const checkForeign = (claim: Claim, rule: UsageRule, tokens: TokenCounts, notes: Notes): void => {
  if (tokens.in_total === null || tokens.in_uncached === null) return
  const cached = tokens.in_total - tokens.in_uncached
  const undecided =
    rule.api === 'messages'
      ? cached <= tokens.in_uncached && isForeign(claim)
      : rule.api === 'attributes' && UNDECIDED_EMITTERS.test(claim.emitter ?? '')
  if (undecided && cached > 0) notes.add('convention_ambiguous')
}

const isForeign = ({ model, provider }: Claim): boolean =>
  (model !== null && FOREIGN_MODEL.test(model)) || !NATIVE_SPEAKERS.includes(provider)

/** Cohere: what the model saw, beside what is charged. */
const checkBilled = (block: Json, tokens: TokenCounts, notes: Notes): void => {
  const seen = objectAt(block, 'tokens')
  if (seen === null) return
  const differs =
    seen['input_tokens'] !== tokens.in_total || seen['output_tokens'] !== tokens.out_total
  if (differs) notes.add('billed_units_differ')
}
