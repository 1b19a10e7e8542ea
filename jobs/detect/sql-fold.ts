import type { Finding } from '../../schemas/finding.ts'
import type { FindingRow } from '../../schemas/incidents.ts'
import type { TableFile } from '../../services/lake/commit.ts'
import { landTable } from '../../services/lake/land-table.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { rowSelect } from '../row-select.ts'
import type { DetectDoors, LiveOptions } from './detect.ts'
import { openDetection, type Detection, type DetectState } from './fold.ts'
import type { DetectRows, LakeRange, OpenFold } from './fold-memory.ts'
import { openHeldWindows, type HeldWindows } from './held-windows.ts'
import { cutHead, rowsOf } from './lake-stretch.ts'
import { landSnapshots, readSnapshots } from './snapshots.ts'
import { openStretch, type Stretch } from './stretch.ts'
import { MINUTE_MS, minuteOf } from './watermark.ts'

/** Detection's rows by SQL over the views of one version of the lake. */

const RELATIONS = { windows: 'temp.windows', prefixes: 'temp.prefixes', events: 'temp.events' }

/** Rows copied into memory at once: some hundred megabytes with all columns that signals name. */
const SLICE_ROWS_MAX = 400_000

export const sqlFold = (doors: DetectDoors, options: LiveOptions): DetectRows => ({
  open: (state) => openFold(doors, options, state),
  states: (head) => readSnapshots(doors, head),
  landStates: (states, due) => landSnapshots(doors, states, due),
  landFindings: (rows) => landFindings(doors, rows)
})

const openFold = async (
  doors: DetectDoors,
  options: LiveOptions,
  state?: DetectState
): Promise<OpenFold> => {
  const { engine } = doors
  const stretch = openStretch(engine, RELATIONS, options.signals)
  const detection = await openDetection(engine, stretch.relations, {
    signals: options.signals,
    generation: options.generation,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(state === undefined ? {} : { state })
  })
  const held = openHeldWindows()
  return {
    fold: (range) => foldLake(doors, { detection, stretch, held }, range),
    rehearse: async ({ head, fromMs, untilMs }) => {
      held.drop()
      await attach(doors, cutHead(head, fromMs, untilMs))
      await stretch.hold(fromMs, untilMs)
      await detection.rehearse(fromMs, untilMs)
    },
    saveSignal: detection.saveSignal
  }
}

type Folding = { detection: Detection; stretch: Stretch; held: HeldWindows }

const foldLake = async (
  doors: DetectDoors,
  folding: Folding,
  range: LakeRange
): Promise<Finding[]> => {
  const { head, fromMs, untilMs } = range
  const cut = cutHead(head, fromMs, untilMs)
  const minuteMs = minuteOf(fromMs)
  return untilMs <= minuteMs + MINUTE_MS
    ? foldMinute(doors, folding, { ...range, head: cut })
    : foldSlices(doors, folding, { ...range, head: cut })
}

/** A minute or a part of one, of which some may be held already. */
const foldMinute = async (
  doors: DetectDoors,
  { detection, stretch, held }: Folding,
  { head, fromMs, untilMs }: LakeRange
): Promise<Finding[]> => {
  const { rest, isMore } = held.take(head, minuteOf(fromMs))
  await attach(doors, rest)
  await stretch.hold(fromMs, untilMs, isMore ? 'more' : 'all')
  return detection.foldRange(fromMs, untilMs)
}

const foldSlices = async (
  doors: DetectDoors,
  { detection, stretch, held }: Folding,
  { head, fromMs, untilMs }: LakeRange
): Promise<Finding[]> => {
  held.drop()
  await attach(doors, head)
  const minutes = (untilMs - fromMs) / MINUTE_MS
  const slices = Math.max(1, Math.ceil(rowsOf(head) / SLICE_ROWS_MAX))
  const stepMs = Math.max(1, Math.ceil(minutes / slices)) * MINUTE_MS
  const findings: Finding[] = []
  for (let start = fromMs; start < untilMs;) {
    const end = Math.min(untilMs, minuteOf(start) + stepMs)
    await stretch.hold(start, end)
    findings.push(...(await detection.foldRange(start, end)))
    start = end
  }
  return findings
}

const landFindings = async (
  doors: DetectDoors,
  rows: readonly FindingRow[]
): Promise<TableFile | null> =>
  landTable(doors, {
    table: 'findings',
    sql: rowSelect('findings', [...rows]),
    time: 'detected_at'
  })
