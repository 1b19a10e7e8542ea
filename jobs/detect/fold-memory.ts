import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import type { FindingRow } from '../../schemas/incidents.ts'
import type { Head, TableFile } from '../../services/lake/commit.ts'
import type { Lake } from '../../services/lake/lake.ts'
import type { DetectState } from './fold.ts'
import { FoldSteps, STEPS_KEY } from './fold-steps.ts'
import type { DueOptions } from './snapshot-schedule.ts'
import type { LandedSnapshots, Snapshot } from './snapshots.ts'

/** A fold over the lake that stays in memory, and how it comes back after a restart. */

export type LakeRange = { head: Head; fromMs: number; untilMs: number }

export type OpenFold = {
  /**
   * Folds [fromMs, untilMs) as a version of the lake holds it. A minute may come in several such
   * ranges, which follow on one another: it is whole with the one that ends it.
   */
  fold: (range: LakeRange) => Promise<Finding[]>
  /**
   * Folds whole minutes, of which nothing may be folded yet, into states that nobody keeps; absent
   * where the first minute takes no longer than others.
   */
  rehearse?: (range: LakeRange) => Promise<void>
  /** The state of one signal. */
  saveSignal: (id: string) => Uint8Array | null
}

/** What detection asks of the rows of the lake; how they are read and written. */
export type DetectRows = {
  /** A fold that goes on from a state, or begins. */
  open: (state?: DetectState) => Promise<OpenFold>
  /** All states that the head holds. */
  states: (head: Head) => Promise<Map<string, Snapshot & { state: Uint8Array }>>
  landStates: (
    states: ReadonlyMap<string, Uint8Array>,
    options: Pick<DueOptions, 'untilMs' | 'policy'>
  ) => Promise<LandedSnapshots>
  landFindings: (rows: readonly FindingRow[]) => Promise<TableFile | null>
}

export type FoldMemory = {
  open: OpenFold
  ids: readonly string[]
  /** What the lake has committed: null = nothing folded yet. */
  untilMs: number | null
  steps: FoldSteps
  snapshots: ReadonlyMap<string, Snapshot>
  ahead: Ahead
}

/** What was folded of a minute before it closed, and waits for its commit. */
export type Ahead = { steps: FoldSteps; findings: Finding[] }

/** Event time until which it has folded, committed or not. */
export const foldEnd = ({ ahead, untilMs }: FoldMemory): number | null =>
  ahead.steps.at(-1)?.untilMs ?? untilMs

export const nothingAhead = (): Ahead => ({ steps: [], findings: [] })

export const openMemory = async (
  rows: DetectRows,
  ids: readonly string[],
  state?: DetectState
): Promise<FoldMemory> => ({
  open: await rows.open(state),
  ids,
  untilMs: null,
  steps: [],
  snapshots: new Map(),
  ahead: nothingAhead()
})

type Restored = { lake: Lake; ids: readonly string[]; head: Head; untilMs: number }

/** The fold as it was when `untilMs` was committed. */
export const restoreMemory = async (
  rows: DetectRows,
  { lake, ids, head, untilMs }: Restored
): Promise<FoldMemory> => {
  const snapshots = await rows.states(head)
  const steps = FoldSteps.parse(head.state.get(STEPS_KEY) ?? [])
  const state: DetectState = {
    // Before states were written for the first time there are steps alone, and all of them.
    foldedUntilMs: snapshots.size === 0 ? (steps[0]?.fromMs ?? untilMs) : untilMs,
    signals: Object.fromEntries([...snapshots].map(([id, { state: bytes }]) => [id, bytes])),
    behind: Object.fromEntries([...snapshots].map(([id, { untilMs: until }]) => [id, until]))
  }
  const memory = await openMemory(rows, ids, state)
  for (const step of steps) {
    const then = await headThen(lake, step.version, head)
    await memory.open.fold({ head: then, fromMs: step.fromMs, untilMs: step.untilMs })
  }
  return Object.assign(memory, { untilMs, steps, snapshots: withoutStates(snapshots) })
}

const withoutStates = (snapshots: ReadonlyMap<string, Snapshot>): Map<string, Snapshot> =>
  new Map([...snapshots].map(([id, { paths, untilMs, bytes }]) => [id, { paths, untilMs, bytes }]))

/** The head of a version; after a week's pause it is gone, and what the lake holds now is read. */
const headThen = async (lake: Lake, version: number, now: Head): Promise<Head> => {
  try {
    return await lake.headAt(version)
  } catch (error) {
    if (error instanceof Failure && error.code === 'E_LAKE_MISSING') return now
    throw error
  }
}
