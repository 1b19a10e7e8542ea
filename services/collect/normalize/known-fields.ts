import { isPick, type Source } from './count.ts'
import { isObject, type Json } from './json.ts'
import type { UsageRule } from './rule.ts'
import type { Notes } from './warnings.ts'

/** Names under which every API known so far reports tokens, and those that new ones may choose. */
const TOKEN_NAME =
  /(?:tokens?|token_?count)$|cache(?!.*(?:cost|price|discount))|reasoning|thinking|thought/i
/** Groups of counts by the names that they have so far; under others the counts must say so. */
const DETAILS_NAME = /details|cache|reasoning|thinking|thought/i

/** Parts of rule tables: the fields that a rule reads or knowingly leaves aside. */
const knownOf = new WeakMap<UsageRule, ReadonlySet<string>>()

const sourcesOf = (rule: UsageRule): readonly Source[] => [
  ...rule.prompt,
  ...rule.completion,
  ...rule.total,
  ...rule.cacheRead,
  ...rule.cacheWrite,
  ...Object.values(rule.cacheWriteByTtl ?? {}).flat(),
  ...rule.reasoning,
  ...(rule.toolUse ?? []),
  ...(rule.undocumented ?? []),
  ...(rule.cacheMiss ?? []),
  ...Object.values(rule.modalities ?? {}).flat(),
  ...Object.values(rule.units ?? {}).flat()
]

const known = (rule: UsageRule): ReadonlySet<string> => {
  const found = knownOf.get(rule)
  if (found !== undefined) return found
  const names = new Set<string>(rule.ignores)
  for (const source of sourcesOf(rule)) if (!isPick(source)) names.add(source.join('.'))
  knownOf.set(rule, names)
  return names
}

/**
 * Looks for counts above 0 in fields that the rule does not know: a provider that starts to bill
 * a new kind of token must not go unnoticed.
 */
export const checkFields = (block: Json, rule: UsageRule, notes: Notes): void => {
  const names = known(rule)
  for (const key in block) {
    const value = block[key]
    if (typeof value === 'number') {
      if (value > 0 && TOKEN_NAME.test(key) && !names.has(key)) notes.add('unknown_token_field')
    } else if (isObject(value) && DETAILS_NAME.test(key)) {
      checkDetails(value, key, names, notes)
    }
  }
}

const checkDetails = (
  details: Json,
  key: string,
  names: ReadonlySet<string>,
  notes: Notes
): void => {
  for (const inner in details) {
    const value = details[inner]
    if (typeof value !== 'number' || value <= 0 || !TOKEN_NAME.test(inner)) continue
    if (!names.has(`${key}.${inner}`)) notes.add('unknown_token_field')
  }
}
