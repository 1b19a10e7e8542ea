import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import { numberFindings } from '../../schemas/incidents.ts'
import type { Commit, Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import type { Settings } from '../../services/signals/define.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import type { PartitionState } from '../../services/stream/log.ts'
import { firstWindowMs } from './lake-stretch.ts'
import { foldAhead, isBusy, type AheadView } from './ahead.ts'
import {
  foldEnd,
  nothingAhead,
  openMemory,
  restoreMemory,
  type DetectRows,
  type FoldMemory
} from './fold-memory.ts'
import { FoldSteps, stepsSince, STEPS_KEY } from './fold-steps.ts'
import { openRehearsal } from './rehearse.ts'
import {
  dueSignals,
  SNAPSHOT_POLICY,
  type Moment,
  type SnapshotPolicy
} from './snapshot-schedule.ts'
import { sqlFold } from './sql-fold.ts'
import { closedUntil, minuteOf, reachedUntil } from './watermark.ts'

/** State key of the lake: event time before which everything is folded, milliseconds. */
export const FOLDED_UNTIL_KEY = 'fold/until'
const Folded = z.int().nullable().catch(null)

export type DetectDoors = { engine: Engine; lake: Lake }

export type LiveOptions = {
  signals: readonly LoadedSignal[]
  settings?: Readonly<Record<string, Settings>>
  generation: string
  /** When states are written. */
  snapshotPolicy?: SnapshotPolicy
  /** Rows of an open minute from which it is folded in parts before it closes. */
  aheadRows?: number
}

export type LogView = {
  /**
   * Asked only after the lake's head was read: a partition whose end is older than the head would
   * look read to its end while records of it wait, and minutes would be folded without them.
   */
  partitions: () => Promise<readonly (PartitionState & { topic: string })[]>
  nowMs: number
  /** Whether findings are being told now: states that are due can wait, those who are told do. */
  isTelling?: boolean
}

/** Event time up to which detection has folded everything; null when it never ran. */
export const foldedUntilMs = (state: ReadonlyMap<string, unknown>): number | null =>
  Folded.parse(state.get(FOLDED_UNTIL_KEY) ?? null)

/**
 * Folds minutes as they close. What the signals remember stays in memory between steps; a step
 * commits its findings and its place, and states only now and then. Whoever takes over reads the
 * states, folds again from there to the committed place, at the versions of the lake that were
 * read then, and drops what it finds on the way: that is committed already.
 */
export type Detector = {
  /**
   * Folds the minutes that have closed since the last step and commits the findings together with
   * the fold's position, so that a crash neither repeats nor loses one. Where none has closed, a part
   * of the open one may be folded: its findings come with its end.
   * @returns the findings of this step, in order of time.
   * @throws Failure E_LAKE_CONFLICT, retriable, when another detector was first.
   */
  step: (view: LogView) => Promise<Finding[]>
  /** Commits all states, so that whoever comes next need not fold again. */
  save: () => Promise<void>
}

/** A detector whose rows are read and written by SQL. */
export const openDetector = (doors: DetectDoors, options: LiveOptions): Detector =>
  foldRows(doors.lake, sqlFold(doors, options), options)

export const foldRows = (lake: Lake, rows: DetectRows, options: LiveOptions): Detector => {
  let memory: FoldMemory | null = null
  /** Until the first close in the life of a process. */
  const rehearsal = openRehearsal()
  /** A fold that went beyond what was committed is forgotten. */
  const orForget = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    try {
      return await work()
    } catch (error) {
      memory = null
      throw error
    }
  }
  const work: Work = { lake, rows, options }
  return {
    step: (log) =>
      orForget(async () => {
        const view = await lookAt(lake, log, memory)
        if (view === null) return []
        const { head } = view
        if (view.isClosed) {
          memory = await resume(work, head, memory)
          rehearsal.end()
          return await close(work, memory, view)
        }
        if (!rehearsal.isOver()) {
          memory = await resume(work, head, memory)
          await rehearsal.take(memory, view)
        }
        if (log.isTelling !== true && (await writeDue(work, head, memory))) return []
        if (!isBusy(view, options.aheadRows)) return []
        memory = await resume(work, head, memory)
        await foldAhead(memory, view, options.aheadRows)
        return []
      }),
    save: () =>
      orForget(async () => {
        const head = await lake.head()
        if (memory === null || !isOurs(head, memory)) return
        // States in the middle of a minute say nothing: whoever comes folds from older ones.
        if (memory.ahead.steps.length > 0) return
        await commit(work, { memory, findings: [], step: null, moment: 'leave' })
      })
  }
}

/** One step of a detector that nobody keeps. */
export const detectStep = async (
  doors: DetectDoors,
  options: LiveOptions,
  view: LogView
): Promise<Finding[]> => {
  const detector = openDetector(doors, options)
  const findings = await detector.step(view)
  await detector.save()
  return findings
}

type View = AheadView & { closedMs: number; isClosed: boolean }

/** Which minute is the next to be folded, and whether it has closed; null where there is none. */
const lookAt = async (
  lake: Lake,
  { partitions, nowMs }: LogView,
  memory: FoldMemory | null
): Promise<View | null> => {
  const head = await lake.head()
  const log = await partitions()
  const reachedMs = reachedUntil(head, log, nowMs)
  const closedMs = closedUntil(head, log, nowMs)
  const committedMs = foldedUntilMs(head.state)
  // Where the first minute of a lake is folded in parts, what came late before it does not count.
  const minuteMs = committedMs ?? memory?.ahead.steps[0]?.fromMs ?? firstMinute(head)
  if (minuteMs === null || closedMs === null || reachedMs === null) return null
  return { head, reachedMs, minuteMs, closedMs, isClosed: closedMs > minuteMs }
}

const firstMinute = (head: Head): number | null => {
  const first = firstWindowMs(head)
  return first === null ? null : minuteOf(first)
}

/**
 * Whether the lake stands where this memory does: then nobody else folded or saved since. A state that
 * another saved in the same place leaves the steps as they were; the files tell.
 */
const isOurs = (head: Head, memory: FoldMemory): boolean =>
  foldedUntilMs(head.state) === memory.untilMs &&
  JSON.stringify(FoldSteps.parse(head.state.get(STEPS_KEY) ?? [])) ===
    JSON.stringify(memory.steps) &&
  areSame(new Set(head.files.get('fold_states')?.keys()), pathsOf(memory.snapshots))

const pathsOf = (snapshots: FoldMemory['snapshots']): Set<string> =>
  new Set([...snapshots.values()].flatMap(({ paths }) => paths))

const areSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((path) => other.has(path))

type Work = { lake: Lake; rows: DetectRows; options: LiveOptions }

/**
 * Writes states that are due between minutes, when all that was folded is committed and nothing of
 * the next was begun: nobody waits for findings then. @returns whether any was.
 */
const writeDue = async (work: Work, head: Head, memory: FoldMemory | null): Promise<boolean> => {
  if (memory === null || memory.ahead.steps.length > 0 || !isOurs(head, memory)) return false
  return commit(work, { memory, findings: [], step: null, moment: 'idle' })
}

const resume = async (
  { lake, rows, options }: Work,
  head: Head,
  memory: FoldMemory | null
): Promise<FoldMemory> => {
  if (memory !== null && isOurs(head, memory)) return memory
  const untilMs = foldedUntilMs(head.state)
  const ids = options.signals.map(({ id }) => id)
  return untilMs === null
    ? openMemory(rows, ids)
    : restoreMemory(rows, { lake, ids, head, untilMs })
}

const close = async (work: Work, memory: FoldMemory, view: View): Promise<Finding[]> => {
  const { head, minuteMs, closedMs } = view
  const fromMs = foldEnd(memory) ?? minuteMs
  const found = await memory.open.fold({ head, fromMs, untilMs: closedMs })
  const findings = [...memory.ahead.findings, ...found]
  const step = { fromMs, untilMs: closedMs, version: head.version }
  await commit(work, { memory, findings, step, moment: 'close' })
  return findings
}

type Taken = {
  memory: FoldMemory
  findings: Finding[]
  /** Null when nothing was folded and only states are to be written. */
  step: FoldSteps[number] | null
  moment: Moment
}

/** @returns whether there was something to commit. */
const commit = async ({ lake, rows, options }: Work, taken: Taken): Promise<boolean> => {
  const { memory, findings, step, moment } = taken
  const untilMs = step?.untilMs ?? memory.untilMs
  if (untilMs === null) return false
  const policy = options.snapshotPolicy ?? SNAPSHOT_POLICY
  const folded = [...memory.steps, ...(step === null ? [] : [...memory.ahead.steps, step])]
  const sinceMs = folded[0]?.fromMs ?? untilMs
  const due = dueSignals(memory.ids, memory.snapshots, { sinceMs, untilMs, moment, policy })
  const behind = due.filter((id) => memory.snapshots.get(id)?.untilMs !== untilMs)
  if (step === null && behind.length === 0) return false
  const states = new Map(behind.map((id) => [id, memory.open.saveSignal(id)!]))
  const landed = await rows.landStates(states, { untilMs, policy })
  const kept = [...memory.snapshots].filter(([id]) => memory.ids.includes(id))
  const snapshots = new Map([...kept, ...landed.snapshots])
  // Without signals there is no state that would ever let go of a step.
  const steps = memory.ids.length === 0 ? [] : stepsSince(folded, snapshots)
  await lake.commit(async (head): Promise<Commit> => {
    if (!isOurs(head, memory)) throw conflict()
    const numbered = numberFindings(head.state, findings)
    const found = numbered.rows.length === 0 ? null : await rows.landFindings(numbered.rows)
    return {
      kind: 'detect',
      generation: options.generation,
      ranges: [],
      adds: [...landed.files, ...(found === null ? [] : [found])],
      removes: replaced(head, snapshots),
      state: { ...numbered.state, [FOLDED_UNTIL_KEY]: untilMs, [STEPS_KEY]: steps }
    }
  })
  Object.assign(memory, { untilMs, snapshots, steps, ahead: nothingAhead() })
  return true
}

const conflict = (): Failure =>
  new Failure('E_LAKE_CONFLICT', 'another detector was first', {
    hint: 'One detector works at a time; this one takes up from there.',
    retriable: true
  })

/** Files of states that no signal needs any more. */
const replaced = (head: Head, snapshots: FoldMemory['snapshots']): Commit['removes'] => {
  const needed = pathsOf(snapshots)
  return [...(head.files.get('fold_states')?.values() ?? [])].filter(
    ({ path }) => !needed.has(path)
  )
}
