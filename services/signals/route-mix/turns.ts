import { remember, type Recent } from '../statistics/recent.ts'

/**
 * Who got which model last. A turn flips when the same request of the same conversation (or of
 * the same end user) is answered by another model than the time before: the router's doing. When
 * the client asks for another model itself, nothing flipped.
 */

export type Turn = {
  lastMs: number
  model: string
  /** The model before the latest flip, to know a way back. */
  previous: string | null
}

export type TurnOutcome = 'first' | 'same' | 'flip' | 'back'

/** Takes a turn by `key`, which names who and what was asked. */
export const takeTurn = (
  turns: Recent<Turn>,
  key: string,
  { model, ms }: { model: string; ms: number }
): TurnOutcome => {
  const known = turns.entries.get(key)
  if (known === undefined) {
    remember(turns, key, { lastMs: ms, model, previous: null })
    return 'first'
  }
  if (known.model === model) {
    known.lastMs = ms
    remember(turns, key, known)
    return 'same'
  }
  const isBack = known.previous === model
  remember(turns, key, { lastMs: ms, model, previous: known.model })
  return isBack ? 'back' : 'flip'
}
