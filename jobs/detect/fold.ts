import type { Finding } from '../../schemas/finding.ts'
import type {
  Columns,
  Draft,
  Grain,
  Minute,
  Settings,
  SignalFold
} from '../../services/signals/define.ts'
import { GRAINS } from '../../services/signals/define.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import { createIntern, openGrain, type GrainReader, type GrainRows, type Intern } from './slice.ts'
import type { DetectSource, Relations } from './source.ts'
import { MINUTE_MS, minuteOf } from './watermark.ts'

/**
 * Detection as a fold over closed minutes: the same code for live use and for backtests. Whoever
 * runs it commits the findings together with `save()`, so a restart neither repeats nor loses one.
 */

/** Where the fold stands: JSON-safe when the bytes are base64-coded, one entry per signal. */
export type DetectState = {
  /** All minutes before this were folded; milliseconds since the epoch, null = none yet. */
  foldedUntilMs: number | null
  signals: Readonly<Record<string, Uint8Array>>
  /** Signals whose state is of an earlier time than `foldedUntilMs`, and that time. */
  behind?: Readonly<Record<string, number>>
}

export type DetectOptions = {
  signals: readonly LoadedSignal[]
  /** Generation of the rows read; ends up on each finding. */
  generation: string
  /** Per signal id: settings that replace the defaults. */
  settings?: Readonly<Record<string, Settings>>
  state?: DetectState
}

export type Detection = {
  /**
   * Folds [fromMs, toMs), which must follow on what was folded before; a signal that has folded it
   * leaves it out. Of a minute that it doesn't reach the end of, only signals that take parts take
   * their events; the rest is folded by the range that ends the minute. Returns what opened,
   * changed or resolved, in order of time.
   */
  foldRange: (fromMs: number, toMs: number) => Promise<Finding[]>
  /** Folds [fromMs, toMs) into states that nobody keeps: the next range is no first one then. */
  rehearse: (fromMs: number, toMs: number) => Promise<void>
  save: () => DetectState
  /** The state of one signal alone. */
  saveSignal: (id: string) => Uint8Array | null
}

type Running = {
  signal: LoadedSignal
  fold: SignalFold
  grains: Map<Grain, GrainReader>
  /** Minutes before this are folded. */
  untilMs: number
}

export const openDetection = async (
  source: DetectSource,
  relations: Relations,
  options: DetectOptions
): Promise<Detection> => {
  let foldedUntilMs = options.state?.foldedUntilMs ?? null
  const intern = createIntern()
  const running: Running[] = []
  for (const signal of options.signals) {
    running.push({
      signal,
      fold: signal.open(options.settings?.[signal.id], options.state?.signals[signal.id]),
      grains: await openGrains(source, relations, { signal, intern }),
      untilMs: options.state?.behind?.[signal.id] ?? foldedUntilMs ?? -Infinity
    })
  }
  return {
    foldRange: async (fromMs, toMs) => {
      const due = running.filter(({ untilMs }) => untilMs <= fromMs)
      const findings: Finding[] = []
      const statements = due.map((one) => statementsOf(one, fromMs, toMs))
      const reads = readAhead(statements.flat())
      for (const [index, one] of due.entries()) {
        const rows = new Map(await reads.next(statements[index]!.length))
        const drafts = foldSignal(one, rows, [fromMs, toMs])
        findings.push(...drafts.map((draft) => complete(draft, one.signal, options.generation)))
        one.untilMs = toMs
      }
      foldedUntilMs = Math.max(foldedUntilMs ?? toMs, toMs)
      return findings.sort(byTime)
    },
    rehearse: async (fromMs, toMs) => {
      for (const { signal, grains } of running) {
        const fold = signal.open(options.settings?.[signal.id])
        const statements = statementsOf({ grains, fold }, fromMs, toMs)
        const rows = new Map(await readAhead(statements).next(statements.length))
        foldSignal({ fold }, rows, [fromMs, toMs])
        fold.save()
      }
    },
    save: () => ({
      foldedUntilMs,
      signals: Object.fromEntries(running.map(({ signal, fold }) => [signal.id, fold.save()]))
    }),
    saveSignal: (id) => running.find(({ signal }) => signal.id === id)?.fold.save() ?? null
  }
}

const openGrains = async (
  source: DetectSource,
  relations: Relations,
  { signal, intern }: { signal: LoadedSignal; intern: Intern }
): Promise<Map<Grain, GrainReader>> => {
  const readers = new Map<Grain, GrainReader>()
  for (const grain of GRAINS) {
    const input = signal.inputs[grain]
    const sql = signal.sql[grain]
    if (input === undefined || sql === undefined) continue
    const query = { name: `${signal.id}'s ${grain}.sql`, grain, sql, input }
    const reader = await openGrain(source, relations, query, intern)
    if (reader !== null) readers.set(grain, reader)
  }
  return readers
}

/**
 * Statements begun at a time, so that the database is busy while a fold lets nothing be begun; no
 * signal has more. It carries them out one after the other, and each that waits holds one of the four
 * threads through which the whole process reads and writes files: one has to stay free.
 */
const READS_MAX = GRAINS.length

/** Begins statements in their order, before their results are asked for. */
const readAhead = <Rows>(
  statements: readonly (() => Promise<Rows>)[]
): { next: (count: number) => Promise<Rows[]> } => {
  const waiting = [...statements]
  const begun: Promise<Rows>[] = []
  const beginMore = (): void => {
    for (const begin of waiting.splice(0, READS_MAX - begun.length)) {
      const rows = begin()
      // It is told where it is awaited.
      rows.catch(() => undefined)
      begun.push(rows)
    }
  }
  return {
    next: async (count) => {
      beginMore()
      const rows = await Promise.all(begun.splice(0, count))
      beginMore()
      return rows
    }
  }
}

type Cursor = { rows: GrainRows; next: number }

/** What reads a signal's rows of a stretch, by grain. */
const statementsOf = (
  { grains, fold }: Pick<Running, 'grains' | 'fold'>,
  fromMs: number,
  toMs: number
): (() => Promise<[Grain, Cursor]>)[] =>
  [...grains].flatMap(([grain, reader]) => {
    const isInParts = grain === 'traces' && fold.follow !== undefined
    const [from, to] = isInParts ? [fromMs, toMs] : [minuteOf(fromMs), minuteOf(toMs)]
    if (from >= to) return []
    return [async () => [grain, { rows: await reader.read(from, to), next: 0 }]]
  })

const foldSignal = (
  { fold }: Pick<Running, 'fold'>,
  cursors: Map<Grain, Cursor>,
  [fromMs, toMs]: [number, number]
): Draft[] => {
  const drafts: Draft[] = []
  for (let startMs = minuteOf(fromMs); startMs < toMs; startMs += MINUTE_MS) {
    const minute: Minute = { startMs, grains: {} }
    for (const [grain, cursor] of cursors) {
      const columns = takeMinute(cursor, startMs)
      if (columns !== null) minute.grains[grain] = columns
    }
    const { traces } = minute.grains
    if (startMs + MINUTE_MS <= toMs) drafts.push(...fold.fold(minute))
    else if (traces !== undefined) drafts.push(...fold.follow!(startMs, traces))
  }
  return drafts
}

/** The rows of one minute as views on the stretch; nothing is copied. */
const takeMinute = (cursor: Cursor, startMs: number): Columns | null => {
  const { rows, next } = cursor
  let end = next
  while (end < rows.startMs.length && rows.startMs[end] === startMs) end++
  if (end === next) return null
  cursor.next = end
  const { series, keys, measures, texts } = rows.columns
  const cut = <From, To>(columns: Readonly<Record<string, From>>, view: (column: From) => To) =>
    Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, view(column)]))
  return {
    rows: end - next,
    series: series.subarray(next, end),
    keys,
    measures: cut(measures, (column) => column.subarray(next, end)),
    texts: cut(texts, (column) => ({ at: (row: number) => column.at(next + row) }))
  }
}

const complete = (draft: Draft, signal: LoadedSignal, generation: string): Finding => ({
  signal: signal.id,
  ...draft,
  runbook: signal.runbook,
  generation
})

const byTime = (a: Finding, b: Finding): number =>
  compare(a.detected_at, b.detected_at) ||
  compare(a.signal, b.signal) ||
  compare(a.fingerprint, b.fingerprint)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
