import type { Side, UsageRule } from './rule.ts'
import type { Notes } from './warnings.ts'

/** The counts of one block as they stand in it, before anyone says what includes what. */
export type Counts = {
  prompt: number
  completion: number
  total: number | null
  cacheRead: number
  cacheWrite: number
  reasoning: number
  toolUse: number
}

/** What each count is part of. Tool-use input stands beside the prompt unless the total denies it. */
export type Sides = { cacheRead: Side; cacheWrite: Side; reasoning: Side; toolUse: Side }

type Choice = { sides: Sides; changes: number }

const SIDES: readonly Side[] = ['inside', 'outside']

/**
 * Decides which counts include which. The rule's convention holds as long as the block's own
 * arithmetic allows it; a stated total that only another convention explains is followed and said
 * so; a total that nothing explains leaves the rule in force with low confidence.
 */
export const decideSides = (counts: Counts, rule: UsageRule, notes: Notes): Sides => {
  const documented = documentedSides(rule)
  if (counts.total === null) {
    if (rule.reasoningVaries === true && counts.reasoning > 0) notes.add('convention_unverified')
    return withoutTotal(counts, documented, notes)
  }
  if (explains(counts, documented) && possible(counts, documented)) return documented
  const choices = explanations(counts, documented)
  const fewest = Math.min(...choices.map(({ changes }) => changes))
  const best = choices.filter(({ changes }) => changes === fewest)
  const first = best[0]
  if (first === undefined) return unexplained(counts, documented, rule, notes)
  if (mayBeOmission(counts, documented, first.sides, rule)) {
    notes.add('convention_ambiguous')
    return documented
  }
  if (best.length > 1) notes.add('convention_ambiguous')
  else if (!expected(first.sides, documented, rule)) notes.add('convention_by_arithmetic')
  return first.sides
}

/** What the rule says before the block's own arithmetic is asked. */
export const documentedSides = (rule: UsageRule): Sides => ({
  cacheRead: rule.cache,
  cacheWrite: rule.cache,
  reasoning: rule.reasoningSide,
  toolUse: 'outside'
})

const outside = (side: Side, count: number): number => (side === 'outside' ? count : 0)
const inside = (side: Side, count: number): number => (side === 'inside' ? count : 0)

/** Input counted inclusively under these sides. */
export const inputOf = (counts: Counts, sides: Sides): number =>
  counts.prompt +
  outside(sides.cacheRead, counts.cacheRead) +
  outside(sides.cacheWrite, counts.cacheWrite) +
  outside(sides.toolUse, counts.toolUse)

/** What of the prompt is neither cache nor tool use; negative where the sides are impossible. */
export const uncachedOf = (counts: Counts, sides: Sides): number =>
  counts.prompt -
  inside(sides.cacheRead, counts.cacheRead) -
  inside(sides.cacheWrite, counts.cacheWrite) -
  inside(sides.toolUse, counts.toolUse)

export const outputOf = (counts: Counts, sides: Sides): number =>
  counts.completion + outside(sides.reasoning, counts.reasoning)

const explains = (counts: Counts, sides: Sides): boolean =>
  inputOf(counts, sides) + outputOf(counts, sides) === counts.total

const possible = (counts: Counts, sides: Sides): boolean =>
  uncachedOf(counts, sides) >= 0 && inside(sides.reasoning, counts.reasoning) <= counts.completion

/** All possible conventions that give the stated total; sides of absent counts do not vary. */
const explanations = (counts: Counts, documented: Sides): Choice[] => {
  const found: Choice[] = []
  for (const cacheRead of options(counts.cacheRead, documented.cacheRead)) {
    for (const cacheWrite of options(counts.cacheWrite, documented.cacheWrite)) {
      collectOutputs(found, counts, { ...documented, cacheRead, cacheWrite }, documented)
    }
  }
  return found
}

const collectOutputs = (found: Choice[], counts: Counts, input: Sides, documented: Sides): void => {
  for (const reasoning of options(counts.reasoning, documented.reasoning)) {
    for (const toolUse of options(counts.toolUse, documented.toolUse)) {
      collect(found, counts, { ...input, reasoning, toolUse }, documented)
    }
  }
}

const options = (count: number, documented: Side): readonly Side[] =>
  count === 0 ? [documented] : SIDES

const collect = (found: Choice[], counts: Counts, sides: Sides, documented: Sides): void => {
  if (!explains(counts, sides) || !possible(counts, sides)) return
  let changes = 0
  if (sides.cacheRead !== documented.cacheRead) changes += 1
  if (sides.cacheWrite !== documented.cacheWrite) changes += 1
  if (sides.reasoning !== documented.reasoning) changes += 1
  if (sides.toolUse !== documented.toolUse) changes += 1
  found.push({ sides, changes })
}

const sameCache = (a: Sides, b: Sides): boolean =>
  a.cacheRead === b.cacheRead && a.cacheWrite === b.cacheWrite

const expected = (sides: Sides, documented: Sides, rule: UsageRule): boolean =>
  rule.reasoningVaries === true &&
  sameCache(sides, documented) &&
  sides.toolUse === documented.toolUse

/** Where a total may leave out the cache, a total without it does not show that it is inside. */
const mayBeOmission = (counts: Counts, documented: Sides, sides: Sides, rule: UsageRule): boolean =>
  (rule.totalOmits === 'cache' && !sameCache(sides, documented)) ||
  (rule.totalOmits === 'reasoning' &&
    sides.reasoning !== documented.reasoning &&
    counts.toolUse > 0)

const unexplained = (counts: Counts, documented: Sides, rule: UsageRule, notes: Notes): Sides => {
  const sides = withoutTotal(counts, documented, notes)
  const stated = counts.total ?? 0
  const omitted =
    outside(sides.cacheRead, counts.cacheRead) +
    outside(sides.cacheWrite, counts.cacheWrite) +
    outside(sides.toolUse, counts.toolUse)
  const sum = inputOf(counts, sides) + outputOf(counts, sides)
  const reasoning = outside(sides.reasoning, counts.reasoning)
  if (rule.totalOmits === 'cache' && sum - omitted === stated) notes.add('total_omits_parts')
  else if (rule.totalOmits === 'reasoning' && sum - omitted - reasoning === stated) {
    notes.add('total_omits_parts')
  } else notes.add('total_mismatch')
  return sides
}

/** Without a usable total only sizes can speak: a part can not be larger than the whole. */
const withoutTotal = (counts: Counts, documented: Sides, notes: Notes): Sides => {
  const sides = { ...documented }
  if (uncachedOf(counts, sides) < 0) {
    notes.add('cache_exceeds_prompt')
    sides.cacheWrite = 'outside'
    if (uncachedOf(counts, sides) < 0) sides.cacheRead = 'outside'
  }
  if (inside(sides.reasoning, counts.reasoning) > counts.completion) {
    notes.add('reasoning_exceeds_output')
    sides.reasoning = 'outside'
  }
  return sides
}
