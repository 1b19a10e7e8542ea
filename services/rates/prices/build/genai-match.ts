import { z } from 'zod'

/** A rule of genai-prices that says which model names a price covers. */
export type MatchRule =
  | { type: 'ClauseEquals'; equals: string }
  | { type: 'ClauseStartsWith'; starts_with: string }
  | { type: 'ClauseEndsWith'; ends_with: string }
  | { type: 'ClauseContains'; contains: string }
  | { type: 'ClauseRegex'; regex: string }
  | { type: 'ClauseOr'; or_: MatchRule[] }
  | { type: 'ClauseAnd'; and_: MatchRule[] }

export const MatchRule: z.ZodType<MatchRule> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('ClauseEquals'), equals: z.string() }),
    z.object({ type: z.literal('ClauseStartsWith'), starts_with: z.string() }),
    z.object({ type: z.literal('ClauseEndsWith'), ends_with: z.string() }),
    z.object({ type: z.literal('ClauseContains'), contains: z.string() }),
    z.object({ type: z.literal('ClauseRegex'), regex: z.string() }),
    z.object({ type: z.literal('ClauseOr'), or_: z.array(MatchRule) }),
    z.object({ type: z.literal('ClauseAnd'), and_: z.array(MatchRule) })
  ])
)

/** Whether the rule as genai-prices applies it covers the name. */
export const matches = (rule: MatchRule, name: string): boolean => {
  switch (rule.type) {
    case 'ClauseEquals':
      return name === rule.equals.toLowerCase()
    case 'ClauseStartsWith':
      return name.startsWith(rule.starts_with.toLowerCase())
    case 'ClauseEndsWith':
      return name.endsWith(rule.ends_with.toLowerCase())
    case 'ClauseContains':
      return name.includes(rule.contains.toLowerCase())
    case 'ClauseRegex':
      return new RegExp(rule.regex, 'i').test(name)
    case 'ClauseOr':
      return rule.or_.some((part) => matches(part, name))
    case 'ClauseAnd':
      return rule.and_.every((part) => matches(part, name))
  }
}

/** What may follow a model's name without making it another model: a date or release. */
const RELEASE = /^(?:[-@]?(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{3,4}|v\d+(?::\d+)?|latest|default))*$/

/**
 * Whether the rule names this very model. A prefix that goes on with more than a date covers
 * relatives too (`gemini-3.8-flash` starts `gemini-3.8-flash-cyber`) and does not count.
 */
export const names = (rule: MatchRule, name: string): boolean => {
  switch (rule.type) {
    case 'ClauseEquals':
      return matches(rule, name)
    case 'ClauseRegex':
      // Only a pattern of the whole name names it; one that excludes others does not.
      return /^\^(?!\(\?).*\$$/.test(rule.regex) && matches(rule, name)
    case 'ClauseStartsWith':
      return matches(rule, name) && RELEASE.test(name.slice(rule.starts_with.length))
    case 'ClauseEndsWith':
      return false
    case 'ClauseContains':
      return name.startsWith(rule.contains.toLowerCase())
        ? RELEASE.test(name.slice(rule.contains.length))
        : false
    case 'ClauseOr':
      return rule.or_.some((part) => names(part, name))
    case 'ClauseAnd':
      return matches(rule, name) && rule.and_.some((part) => names(part, name))
  }
}

/** The exact names that a rule lists. */
export const listedNames = (rule: MatchRule): string[] => {
  if (rule.type === 'ClauseEquals') return [rule.equals.toLowerCase()]
  return rule.type === 'ClauseOr' ? rule.or_.flatMap(listedNames) : []
}
