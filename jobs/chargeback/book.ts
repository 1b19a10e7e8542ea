import type { Commit } from '../../services/lake/commit.ts'
import type { LineOptions } from './day-lines.ts'
import {
  addDays,
  BOOKING_KEY,
  bookedState,
  dueDays,
  landBatch,
  startBatch,
  type ChargeDoors
} from './ledger.ts'

/**
 * Books what settled since the last booking, in one commit; nothing when nothing did. Hours from
 * `untilMs` on wait.
 * @returns the number of days looked at again.
 */
export const bookDue = async (
  doors: ChargeDoors,
  { untilMs = Infinity, ...options }: LineOptions & { untilMs?: number }
): Promise<number> => {
  for (;;) {
    const head = await doors.lake.head()
    const days = dueDays(head, untilMs)
    if (days.length === 0) return 0
    await startBatch(doors.engine)
    await addDays(doors, head, { days, ...options })
    const file = await landBatch(doors)
    const version = await doors.lake.commit((now): Commit | null => {
      if (now.state.get(BOOKING_KEY) !== head.state.get(BOOKING_KEY)) return null
      const adds = file === null ? [] : [file]
      const state = bookedState(head, days, options.books)
      return { kind: 'charge', generation: doors.generation, ranges: [], adds, removes: [], state }
    })
    if (version !== null) return days.length
  }
}
