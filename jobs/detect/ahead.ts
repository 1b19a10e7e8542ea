import type { Head } from '../../services/lake/commit.ts'
import { foldEnd, type FoldMemory } from './fold-memory.ts'
import { cutHead, rowsOf } from './lake-stretch.ts'
import { LATENESS_MS, MINUTE_MS } from './watermark.ts'

/**
 * A busy minute is not folded all at once when it closes, or its alerts would come late: while it
 * stays open for late events, what it holds is taken part by part, twice as fast as time goes by.
 * Each event still has at least the lateness to come in, most have more.
 */

/** Of a minute, taken as soon as it has ended. */
const FIRST_MS = 15_000
const SPEED = 2
const SECOND_MS = 1_000
/** A shorter part costs more than it saves. */
const PART_MS = 5_000
/** Rows from which a part is worth it: folding fewer takes half a second. */
const AHEAD_ROWS = 50_000

export type AheadView = {
  head: Head
  /** Event time before which everything is known, milliseconds. */
  reachedMs: number
  /** Where the open minute begins. */
  minuteMs: number
}

/** Until when the open minute's events may be taken, milliseconds at full seconds. */
export const aheadUntil = ({ reachedMs, minuteMs }: Omit<AheadView, 'head'>): number => {
  const sinceEndMs = reachedMs + LATENESS_MS - (minuteMs + MINUTE_MS)
  if (sinceEndMs < 0) return minuteMs
  const untilMs = Math.min(reachedMs, minuteMs + FIRST_MS + SPEED * sinceEndMs)
  const lastMs = minuteMs + MINUTE_MS - SECOND_MS
  return Math.min(lastMs, Math.max(minuteMs, Math.floor(untilMs / SECOND_MS) * SECOND_MS))
}

/** Whether the open minute is one that is taken in parts. */
export const isBusy = ({ head, ...view }: AheadView, rowsMin = AHEAD_ROWS): boolean => {
  const untilMs = aheadUntil(view)
  return untilMs > view.minuteMs && rowsOf(cutHead(head, view.minuteMs, untilMs)) >= rowsMin
}

/** Takes the next part of the open minute if there is much of it. */
export const foldAhead = async (
  memory: FoldMemory,
  { head, ...view }: AheadView,
  rowsMin = AHEAD_ROWS
): Promise<void> => {
  const fromMs = foldEnd(memory) ?? view.minuteMs
  const untilMs = aheadUntil(view)
  if (untilMs - fromMs < PART_MS || rowsOf(cutHead(head, fromMs, untilMs)) < rowsMin) return
  const findings = await memory.open.fold({ head, fromMs, untilMs })
  memory.ahead.steps.push({ fromMs, untilMs, version: head.version })
  memory.ahead.findings.push(...findings)
}
