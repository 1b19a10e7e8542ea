import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import { numberFindings } from '../../schemas/incidents.ts'
import type { Commit, Head, TableFile } from '../../services/lake/commit.ts'
import type { ColumnData } from '../../services/lake/columns.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { textColumn } from '../../services/lake/text-column.ts'
import type { Settings } from '../../services/signals/define.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import type { PartitionState } from '../../services/stream/log.ts'
import { rowSelect } from '../row-select.ts'
import { openDetection, type Detection, type DetectState } from './fold.ts'
import { closedUntil, MINUTE_MS } from './watermark.ts'

/** State key of the lake: event time before which everything is folded, milliseconds. */
export const FOLDED_UNTIL_KEY = 'fold/until'
const Folded = z.int().nullable().catch(null)

export type DetectDoors = { engine: Engine; lake: Lake }

export type LiveOptions = {
  signals: readonly LoadedSignal[]
  settings?: Readonly<Record<string, Settings>>
  generation: string
}

export type LogView = {
  /**
   * Asked only after the lake's head was read: a partition whose end is older than the head would
   * look read to its end while records of it wait, and minutes would be folded without them.
   */
  partitions: () => Promise<readonly (PartitionState & { topic: string })[]>
  nowMs: number
}

/** Event time up to which detection has folded everything; null when it never ran. */
export const foldedUntilMs = (state: ReadonlyMap<string, unknown>): number | null =>
  Folded.parse(state.get(FOLDED_UNTIL_KEY) ?? null)

/**
 * Folds the minutes that have closed since the last step and commits the findings together with
 * the fold's position, so that a crash neither repeats nor loses one.
 * @returns the findings of this step, in order of time.
 */
export const detectStep = async (
  doors: DetectDoors,
  options: LiveOptions,
  { partitions, nowMs }: LogView
): Promise<Finding[]> => {
  const head = await doors.lake.head()
  const untilMs = closedUntil(head, await partitions(), nowMs)
  if (untilMs === null) return []
  await attach(doors, head)
  const fromMs = foldedUntilMs(head.state) ?? (await firstMinute(doors.engine))
  if (fromMs === null || fromMs >= untilMs) return []
  const detection = await resumeFold(doors, head, options)
  const findings = await detection.foldRange(fromMs, untilMs)
  await commit(doors, options, { head, findings, state: detection.save() })
  return findings
}

const firstMinute = async (engine: Engine): Promise<number | null> => {
  const [row] = await engine.rows('SELECT epoch_ms(min(window_start)) AS first FROM temp.windows')
  const first = row?.['first']
  return first == null ? null : Math.floor(Number(first) / MINUTE_MS) * MINUTE_MS
}

const RELATIONS = { windows: 'temp.windows', prefixes: 'temp.prefixes', events: 'temp.events' }

const resumeFold = async (
  { engine }: DetectDoors,
  head: Head,
  options: LiveOptions
): Promise<Detection> => {
  const rows = await engine.rows('SELECT signal, bytes FROM temp.fold_states')
  const signals = Object.fromEntries(
    rows.map(({ signal, bytes }) => [String(signal), bytesOf(bytes)])
  )
  const state: DetectState = { foldedUntilMs: foldedUntilMs(head.state), signals }
  return openDetection(engine, RELATIONS, {
    signals: options.signals,
    generation: options.generation,
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(rows.length === 0 ? {} : { state })
  })
}

const Blob = z.object({ bytes: z.instanceof(Uint8Array) })
const bytesOf = (value: unknown): Uint8Array =>
  value instanceof Uint8Array ? value : Blob.parse(value).bytes

type Step = { head: Head; findings: Finding[]; state: DetectState }

const commit = async (doors: DetectDoors, options: LiveOptions, step: Step): Promise<void> => {
  const states = await landStates(doors, step.state)
  const before = foldedUntilMs(step.head.state)
  await doors.lake.commit(async (head): Promise<Commit> => {
    if (foldedUntilMs(head.state) !== before) {
      throw new Failure('E_LAKE_CONFLICT', 'another detector folded these minutes first', {
        hint: 'One detector works at a time; this one takes up from there.',
        retriable: true
      })
    }
    const numbered = numberFindings(head.state, step.findings)
    const found = numbered.rows.length === 0 ? null : await landFindings(doors, numbered.rows)
    return {
      kind: 'detect',
      generation: options.generation,
      ranges: [],
      adds: [...states, ...(found === null ? [] : [found])],
      removes: [...(head.files.get('fold_states')?.values() ?? [])],
      state: { ...numbered.state, [FOLDED_UNTIL_KEY]: step.state.foldedUntilMs }
    }
  })
}

const landFindings = async (
  doors: DetectDoors,
  rows: ReturnType<typeof numberFindings>['rows']
): Promise<TableFile | null> =>
  landTable(doors, { table: 'findings', sql: rowSelect('findings', rows), time: 'detected_at' })

const landStates = async (doors: DetectDoors, state: DetectState): Promise<TableFile[]> => {
  const entries = Object.entries(state.signals)
  if (entries.length === 0) return []
  const columns: ColumnData[] = [
    textColumn(entries.map(([signal]) => Buffer.from(signal))),
    { ...textColumn(entries.map(([, bytes]) => bytes)), type: 'BLOB' }
  ]
  const segments = [{ rows: entries.length, columns }]
  await doors.engine.load('folds', { names: ['signal', 'bytes'], segments })
  const until =
    state.foldedUntilMs === null ? 'NULL' : `make_timestamptz(${state.foldedUntilMs}000)`
  const sql = `SELECT signal, ${until}::TIMESTAMPTZ AS folded_until, bytes FROM temp.folds ORDER BY signal`
  const file = await landTable(doors, { table: 'fold_states', sql, time: 'folded_until' })
  return file === null ? [] : [file]
}
