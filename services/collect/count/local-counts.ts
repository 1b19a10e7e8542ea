import type { UsageEvent } from '../../../schemas/event.ts'
import { dominantScript } from './script.ts'
import { textOf } from './text-of.ts'
import { tokenizer } from './tokenizer.ts'
import { WORK_MAX, workOf } from './work.ts'

/** What we count ourselves where content is at hand; the content itself goes no further. */
export type LocalCounts = {
  local: { tokenizer: string; in: number | null; out: number | null } | null
  script: string | null
}

/** What was asked and what was answered, in any shape that holds text; null = not to be seen. */
export type Said = { in: unknown; out: unknown }

/** What may still be spent on counting: texts that would exceed it are not counted. */
export type Budget = { work: number }

export const newBudget = (): Budget => ({ work: WORK_MAX })

/**
 * Counts of texts by the tokenizer, where `loadTokenizer` found one, and the script of what was
 * asked. Tool schemas and what a provider adds around messages are not text and not counted. A text
 * is counted whole or not at all: a count of a part would be a wrong count.
 */
export const localCounts = (
  input: string | null,
  output: string | null,
  budget: Budget = newBudget()
): LocalCounts => {
  const counter = tokenizer()
  const count = (text: string | null): number | null => {
    if (text === null || counter === null) return null
    const work = workOf(text)
    if (work > budget.work) return null
    budget.work -= work
    return counter.count(text)
  }
  const counts = { in: count(input), out: count(output) }
  const any = counter !== null && (counts.in !== null || counts.out !== null)
  return {
    local: any ? { tokenizer: counter.id, ...counts } : null,
    script: dominantScript(input ?? output ?? '')
  }
}

/** Counts what was said onto an event; what its sender counted itself is never overwritten. */
export const fillLocalCounts = (event: UsageEvent, said: Said, budget: Budget): void => {
  if (event.local != null) return
  const { local, script } = localCounts(textOf(said.in), textOf(said.out), budget)
  if (local !== null) event.local = local
  event.script ??= script
}
