import { z } from 'zod'
import type { Snapshot } from './snapshots.ts'

/**
 * State key of the lake: the steps since the oldest state that is written, each with the version of
 * the lake that it read. Folding them again gives the states that the detector had in memory.
 */
export const STEPS_KEY = 'fold/steps'

export const FoldSteps = z.array(z.object({ fromMs: z.int(), untilMs: z.int(), version: z.int() }))
export type FoldSteps = z.infer<typeof FoldSteps>

/** Steps that somebody who starts from these states has to fold again. */
export const stepsSince = (
  steps: FoldSteps,
  snapshots: ReadonlyMap<string, Snapshot>
): FoldSteps => {
  const untils = [...snapshots.values()].map(({ untilMs }) => untilMs)
  const oldest = untils.length === 0 ? -Infinity : Math.min(...untils)
  return steps.filter(({ untilMs }) => untilMs > oldest)
}
