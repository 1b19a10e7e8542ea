import type { Head, LiveFile } from '../../services/lake/commit.ts'
import type { AheadView } from './ahead.ts'
import type { FoldMemory } from './fold-memory.ts'
import { cutHead, rowsOf } from './lake-stretch.ts'
import { LATENESS_MS, MINUTE_MS, minuteOf } from './watermark.ts'

/**
 * The first minute that a process folds takes several times what the others take: code that has not
 * run is not compiled, the database has not seen the statements, no series is known by name. So what
 * has landed of open minutes is folded for nothing, into states that are thrown away, before anybody
 * waits for findings.
 */

/** Rows that are folded so at once: a second or two of work. */
const ROWS_AT_ONCE = 50_000
/** How often at most, as more lands: what runs for each row or each series is compiled by then. */
const TIMES = 3
/** Rows below which once is enough: to fold them takes no time, compiled or not. */
const AGAIN_ROWS = 5_000

export type Rehearsal = {
  /** Folds what has landed and is not folded yet, of the last minute or two, where that is worth it. */
  take: (memory: FoldMemory, view: AheadView) => Promise<void>
  /** Whether another one would bring anything. */
  isOver: () => boolean
  end: () => void
}

export const openRehearsal = (): Rehearsal => {
  let left = TIMES
  return {
    take: async ({ open, ahead }, { head, reachedMs, minuteMs }) => {
      const newestMs = Math.max(minuteMs, minuteOf(reachedMs + LATENESS_MS))
      const [fromMs, untilMs] = [Math.max(minuteMs, newestMs - MINUTE_MS), newestMs + MINUTE_MS]
      const some = someOf(cutHead(head, fromMs, untilMs), ROWS_AT_ONCE)
      // Where a part of the minute is folded, what is held of it must stay.
      if (open.rehearse === undefined || ahead.steps.length > 0) return
      if (rowsOf(some) < (left === TIMES ? 1 : AGAIN_ROWS)) return
      await open.rehearse({ head: some, fromMs, untilMs })
      left--
    },
    isOver: () => left === 0,
    end: () => {
      left = 0
    }
  }
}

/** The first files of each table, up to so many rows; at least one. */
const someOf = (head: Head, rowsMax: number): Head => {
  const files = [...head.files].map(([table, all]) => {
    const some = new Map<string, LiveFile>()
    let rows = 0
    for (const [path, file] of all) {
      rows += file.rows
      if (some.size > 0 && rows > rowsMax) break
      some.set(path, file)
    }
    return [table, some] as const
  })
  return { ...head, files: new Map(files) }
}
