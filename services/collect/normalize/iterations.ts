import { TOKEN_FIELDS } from '../../../schemas/tokens.ts'
import { isObject, objectAt, textAt, type Json } from './json.ts'
import type { UsageRule } from './rule.ts'
import { messages } from './rules/anthropic.ts'
import { chat } from './rules/openai.ts'
import { readTokens, type Iteration, type TokenCounts } from './tokens.ts'
import type { Notes } from './warnings.ts'

/** Bounds the list as the event schema does. */
const ITERATIONS_MAX = 1024

/** Kinds that stand beside the counts of the response itself. */
const BESIDE: readonly string[] = ['compaction', 'advisor_message']

/**
 * Reads Anthropic's `usage.iterations[]`. Compaction runs on the model that was asked for and the
 * advisor on its own; neither is in the counts of the response. After a fallback those counts are
 * the serving attempt's alone.
 */
export const readIterations = (
  block: Json,
  rule: UsageRule,
  { totals, model }: { totals: TokenCounts; model: string | null },
  notes: Notes
): Iteration[] | null => {
  if (rule.iterations === undefined) return null
  const list = block[rule.iterations]
  if (list === undefined || list === null) return null
  if (!Array.isArray(list) || list.length > ITERATIONS_MAX) {
    notes.add('iterations_unreadable')
    return null
  }
  const iterations: Iteration[] = []
  for (const entry of list as unknown[]) {
    if (isObject(entry)) iterations.push(readIteration(entry, model, notes))
    else notes.add('iterations_unreadable')
  }
  checkSums(iterations, totals, notes)
  return iterations.length === 0 ? null : iterations
}

/** What each model behind a compound one used; together they are the response's own counts. */
export const readBreakdown = (
  models: readonly unknown[],
  totals: TokenCounts,
  notes: Notes
): Iteration[] | null => {
  const iterations: Iteration[] = []
  for (const entry of models.slice(0, ITERATIONS_MAX)) {
    const usage = objectAt(entry, 'usage')
    if (usage === null) notes.add('iterations_unreadable')
    else iterations.push(countsOf(usage, chat, textAt(entry, 'model'), notes))
  }
  checkSums(iterations, totals, notes)
  return iterations.length === 0 ? null : iterations
}

const readIteration = (entry: Json, model: string | null, notes: Notes): Iteration => {
  const type = textAt(entry, 'type')
  const iteration = countsOf(entry, messages, textAt(entry, 'model') ?? model, notes)
  if (type !== null) iteration.type = type
  return iteration
}

const countsOf = (block: Json, rule: UsageRule, model: string | null, notes: Notes): Iteration => {
  const { tokens } = readTokens(block, rule, notes)
  const iteration: Iteration = { model }
  for (const field of TOKEN_FIELDS) {
    const count = tokens[field]
    if (count !== null) iteration[field] = count
  }
  return iteration
}

const checkSums = (iterations: readonly Iteration[], totals: TokenCounts, notes: Notes): void => {
  const fellBack = iterations.some(({ type }) => type === 'fallback_message')
  const own = iterations.filter(({ type = 'message' }) =>
    fellBack ? type === 'fallback_message' : !BESIDE.includes(type)
  )
  const stated = (totals.in_total ?? 0) + (totals.out_total ?? 0)
  if (sum(iterations) > stated) notes.add('iterations_beyond_totals')
  if (own.length > 0 && sum(own) < stated && !notes.has('iterations_unreadable')) {
    notes.add('iterations_incomplete')
  }
}

const sum = (iterations: readonly Iteration[]): number =>
  iterations.reduce((all, one) => all + (one.in_total ?? 0) + (one.out_total ?? 0), 0)
