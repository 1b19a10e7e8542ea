import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import type { LiveOptions } from './detect.ts'
import { openDetection, type Detection, type DetectState } from './fold.ts'
import { FoldSteps, STEPS_KEY } from './fold-steps.ts'
import { cutHead, rowsOf } from './lake-stretch.ts'
import { readSnapshots, type Snapshot } from './snapshots.ts'
import { openStretch, type Stretch } from './stretch.ts'
import { MINUTE_MS } from './watermark.ts'

/** A fold over the lake that stays in memory, and how it comes back after a restart. */

type Doors = { engine: Engine; lake: Lake }

export type FoldMemory = {
  detection: Detection
  stretch: Stretch
  ids: readonly string[]
  /** What the lake has committed: null = nothing folded yet. */
  untilMs: number | null
  steps: FoldSteps
  snapshots: ReadonlyMap<string, Snapshot>
}

const RELATIONS = { windows: 'temp.windows', prefixes: 'temp.prefixes', events: 'temp.events' }

/** Rows copied into memory at once: some hundred megabytes with all columns that signals name. */
const SLICE_ROWS_MAX = 400_000

export const openMemory = async (
  { engine }: Doors,
  options: LiveOptions,
  state?: DetectState
): Promise<FoldMemory> => {
  const stretch = openStretch(engine, RELATIONS, options.signals)
  const detection = await openDetection(engine, stretch.relations, {
    signals: options.signals,
    generation: options.generation,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(state === undefined ? {} : { state })
  })
  const ids = options.signals.map(({ id }) => id)
  return { detection, stretch, ids, untilMs: null, steps: [], snapshots: new Map() }
}

/** The fold as it was when `untilMs` was committed. */
export const restoreMemory = async (
  doors: Doors,
  options: LiveOptions,
  { head, untilMs }: { head: Head; untilMs: number }
): Promise<FoldMemory> => {
  const snapshots = await readSnapshots(doors, head)
  const steps = FoldSteps.parse(head.state.get(STEPS_KEY) ?? [])
  const state: DetectState = {
    foldedUntilMs: untilMs,
    signals: Object.fromEntries([...snapshots].map(([id, { state: bytes }]) => [id, bytes])),
    behind: Object.fromEntries([...snapshots].map(([id, { untilMs: until }]) => [id, until]))
  }
  const memory = await openMemory(doors, options, state)
  for (const step of steps) {
    const then = await headThen(doors.lake, step.version, head)
    await foldLake(doors, memory, { head: then, fromMs: step.fromMs, untilMs: step.untilMs })
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

export type LakeRange = { head: Head; fromMs: number; untilMs: number }

/** Folds the minutes of [fromMs, untilMs) as a version of the lake holds them. */
export const foldLake = async (
  doors: Doors,
  { detection, stretch }: FoldMemory,
  { head, fromMs, untilMs }: LakeRange
): Promise<Finding[]> => {
  const cut = cutHead(head, fromMs, untilMs)
  await attach(doors, cut)
  const minutes = (untilMs - fromMs) / MINUTE_MS
  const slices = Math.max(1, Math.ceil(rowsOf(cut) / SLICE_ROWS_MAX))
  const stepMs = Math.max(1, Math.ceil(minutes / slices)) * MINUTE_MS
  const findings: Finding[] = []
  for (let start = fromMs; start < untilMs; start += stepMs) {
    const end = Math.min(untilMs, start + stepMs)
    await stretch.hold(start, end)
    findings.push(...(await detection.foldRange(start, end)))
  }
  return findings
}
