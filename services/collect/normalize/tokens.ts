import type { TokenField } from '../../../schemas/tokens.ts'
import {
  decideSides,
  documentedSides,
  inputOf,
  outputOf,
  uncachedOf,
  type Counts,
  type Sides
} from './arithmetic.ts'
import { addCounts, readCount, toCount } from './count.ts'
import type { Json } from './json.ts'
import { conventionName, type CacheTtl, type Modality, type UsageRule } from './rule.ts'
import type { Notes } from './warnings.ts'

export type TokenCounts = Record<TokenField, number | null> & {
  units: Units | null
  iterations: Iteration[] | null
}
export type Units = Record<string, number>
export type ReadTokens = { tokens: TokenCounts; convention: string }

/** One sub-inference inside a response, with what served it; unknown counts are left out. */
export type Iteration = { type?: string; model: string | null } & Partial<
  Record<TokenField, number>
>

/** Written out, since an object of one fixed shape is what makes reading thousands a second cheap. */
export const unknownTokens = (): TokenCounts => ({
  in_uncached: null,
  in_cache_read: null,
  in_cache_write_5m: null,
  in_cache_write_30m: null,
  in_cache_write_1h: null,
  in_cache_write_12h: null,
  in_cache_write_unk: null,
  in_tool_use: null,
  out_text: null,
  out_reasoning: null,
  in_total: null,
  out_total: null,
  in_audio: null,
  in_image: null,
  in_video: null,
  in_cached_audio: null,
  in_cached_image: null,
  out_audio: null,
  out_image: null,
  units: null,
  iterations: null
})

const TTL_FIELDS = {
  '5m': 'in_cache_write_5m',
  '30m': 'in_cache_write_30m',
  '1h': 'in_cache_write_1h',
  '12h': 'in_cache_write_12h'
} as const satisfies Record<CacheTtl, TokenField>

/** Reads one usage block by one rule into disjoint buckets and totals. Never throws. */
export const readTokens = (block: Json, rule: UsageRule, notes: Notes): ReadTokens => {
  const tokens = unknownTokens()
  const prompt = readCount(block, rule.prompt, notes)
  const completion = readCount(block, rule.completion, notes)
  const total = readCount(block, rule.total, notes)
  const cacheRead = readCacheRead(block, rule, notes)
  const cacheWrite = readCacheWrite(block, rule, tokens, notes)
  const toolUse = rule.toolUse === undefined ? null : readCount(block, rule.toolUse, notes)
  const stated = { prompt, completion, total, cacheRead, cacheWrite, toolUse }
  const reasoning = readReasoning(block, rule, stated, notes)
  const whole = completeCounts(stated, reasoning, rule, notes)
  const sides = decideSides(whole, rule, notes)
  tokens.in_cache_read = cacheRead
  if (cacheRead === null && (cacheWrite ?? 0) > 0 && rule.cache === 'outside') {
    notes.add('cache_read_missing')
  }
  tokens.in_tool_use = toolUse
  tokens.out_reasoning = reasoning
  fillInput(tokens, { hasOutput: completion !== null, prompt, whole, sides }, notes)
  fillOutput(tokens, { completion, reasoning, whole, sides }, notes)
  checkMisses(block, rule, whole, notes)
  readModalities(block, rule, tokens, notes)
  checkModalities(tokens, notes)
  const convention = conventionName(rule, { cache: sides.cacheRead, reasoning: sides.reasoning })
  tokens.units = readUnits(block, rule, notes)
  return { tokens, convention }
}

type Stated = {
  prompt: number | null
  completion: number | null
  total: number | null
  cacheRead: number | null
  cacheWrite: number | null
  toolUse: number | null
}

const readCacheRead = (block: Json, rule: UsageRule, notes: Notes): number | null => {
  const documented = readCount(block, rule.cacheRead, notes)
  if (rule.undocumented === undefined) return documented
  const other = readCount(block, rule.undocumented, notes)
  if (other === null || other === documented) return documented
  notes.add(documented === null ? 'cache_field_undocumented' : 'witnesses_disagree')
  return documented === null || documented === 0 ? other : documented
}

/**
 * Cache writes: by time to live where that is told, and the rest of the stated total as unknown.
 * In streams the split may be the first snapshot's while the total is the last one's, so a total
 * above its split is normal; a split above its total is not.
 */
const readCacheWrite = (
  block: Json,
  rule: UsageRule,
  tokens: TokenCounts,
  notes: Notes
): number | null => {
  const stated = readCount(block, rule.cacheWrite, notes)
  let split: number | null = null
  for (const ttl in rule.cacheWriteByTtl) {
    const sources = rule.cacheWriteByTtl[ttl as CacheTtl]
    if (sources === undefined) continue
    const count = readCount(block, sources, notes)
    tokens[TTL_FIELDS[ttl as CacheTtl]] = count
    split = addCounts(split, count)
  }
  if (stated === null) return split
  const rest = stated - (split ?? 0)
  if (rest < 0) {
    notes.add('cache_write_split_mismatch')
    return split
  }
  if (split === null || rest > 0) tokens.in_cache_write_unk = rest
  if (rest > 0) notes.add('cache_write_ttl_unknown')
  return stated
}

const readReasoning = (
  block: Json,
  rule: UsageRule,
  stated: Stated,
  notes: Notes
): number | null => {
  const reasoning = readCount(block, rule.reasoning, notes)
  if (reasoning !== null || rule.remainderIsReasoning !== true) return reasoning
  const { prompt, completion, total } = stated
  if (prompt === null || completion === null || total === null) return null
  const rest = total - prompt - completion
  if (rest <= 0) return null
  notes.add('reasoning_from_total')
  return rest
}

/** The counts for the arithmetic alone: what is unknown is 0, unless the total tells it. */
const completeCounts = (
  stated: Stated,
  reasoning: number | null,
  rule: UsageRule,
  notes: Notes
): Counts => {
  const counts = zeroed(stated, reasoning)
  const known = stated.prompt !== null && stated.completion !== null
  const nothing = stated.prompt === null && stated.completion === null
  if (stated.total === null || known || nothing) return counts
  const sides = documentedSides(rule)
  const rest = stated.total - inputOf(counts, sides) - outputOf(counts, sides)
  if (rest < 0) return counts
  if (rest > 0) notes.add('part_from_total')
  if (stated.prompt === null) counts.prompt = rest
  else counts.completion = rest
  return counts
}

const zeroed = (stated: Stated, reasoning: number | null): Counts => ({
  prompt: stated.prompt ?? 0,
  completion: stated.completion ?? 0,
  total: stated.total,
  cacheRead: stated.cacheRead ?? 0,
  cacheWrite: stated.cacheWrite ?? 0,
  reasoning: reasoning ?? 0,
  toolUse: stated.toolUse ?? 0
})

type Input = { hasOutput: boolean; prompt: number | null; whole: Counts; sides: Sides }

const fillInput = (tokens: TokenCounts, input: Input, notes: Notes): void => {
  if (input.prompt === null && input.whole.prompt === 0) {
    if (input.hasOutput) notes.add('input_missing')
    return
  }
  tokens.in_uncached = uncachedOf(input.whole, input.sides)
  tokens.in_total = inputOf(input.whole, input.sides)
}

type Output = {
  completion: number | null
  reasoning: number | null
  whole: Counts
  sides: Sides
}

const fillOutput = (tokens: TokenCounts, output: Output, notes: Notes): void => {
  const { completion, reasoning, whole, sides } = output
  if (completion === null && (reasoning ?? 0) > 0 && whole.total === null)
    notes.add('output_missing')
  if (completion === null && whole.completion === 0 && (reasoning ?? 0) === 0) return
  tokens.out_total = outputOf(whole, sides)
  if (reasoning === null) return
  tokens.out_text = tokens.out_total - reasoning
}

const checkMisses = (block: Json, rule: UsageRule, counts: Counts, notes: Notes): void => {
  if (rule.cacheMiss === undefined) return
  const miss = readCount(block, rule.cacheMiss, notes)
  if (miss !== null && miss + counts.cacheRead !== counts.prompt) {
    notes.add('cache_split_inconsistent')
  }
}

const readModalities = (block: Json, rule: UsageRule, tokens: TokenCounts, notes: Notes): void => {
  const { modalities } = rule
  if (modalities === undefined) return
  for (const name in modalities) {
    const sources = modalities[name as Modality]
    if (sources !== undefined) tokens[name as Modality] = readCount(block, sources, notes)
  }
}

const exceeds = (part: number | null, whole: number | null): boolean =>
  part !== null && whole !== null && part > whole

const checkModalities = (tokens: TokenCounts, notes: Notes): void => {
  const media = addCounts(tokens.in_audio, tokens.in_image, tokens.in_video)
  const cachedMedia = addCounts(tokens.in_cached_audio, tokens.in_cached_image)
  const outMedia = addCounts(tokens.out_audio, tokens.out_image)
  if (
    exceeds(media, tokens.in_total) ||
    exceeds(cachedMedia, tokens.in_cache_read) ||
    exceeds(outMedia, tokens.out_total)
  ) {
    notes.add('modality_exceeds_bucket')
  }
}

const readUnits = (block: Json, rule: UsageRule, notes: Notes): Units | null => {
  let units: Units | null = null
  if (rule.units !== undefined) {
    for (const name in rule.units) {
      const count = readCount(block, rule.units[name] ?? [], notes)
      if (count === null) continue
      units ??= {}
      units[name] = count
    }
  }
  return units
}

/** Audio time. Units are whole numbers, so a fraction of a second is rounded up and said so. */
export const timeUnits = (seconds: unknown, notes: Notes): Units | null => {
  const isFraction = typeof seconds === 'number' && seconds > 0 && !Number.isInteger(seconds)
  if (isFraction) notes.add('seconds_rounded_up')
  const whole = toCount(isFraction ? Math.ceil(seconds) : seconds, 'seconds', notes)
  return whole === null ? null : { seconds: whole }
}
