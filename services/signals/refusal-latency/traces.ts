import type { Columns } from '../define.ts'
import {
  clearIdentities,
  createIdentityMap,
  getIdentity,
  setIdentity,
  type IdentityMap
} from '../statistics/identity-map.ts'
import { addRecord, createRecords, keepRecords, type Records } from '../statistics/records.ts'
import type { Step } from './critical-path.ts'

/**
 * Traces whose steps are still coming in. A trace is judged when it was quiet for a minute. Half a
 * million may begin in a busy minute, so they are records of numbers, and objects only when judged.
 */

/** One trace as it is judged; steps as they came. */
export type OpenTrace = {
  tenant: string
  route: string | null
  user: string | null
  costPico: number
  steps: Step[]
}

const QUIET_MS = 60_000
/** Steps kept of one trace: a runaway agent must not fill the memory. */
const STEPS_MAX = 200
/** Traces that may be open; beyond, the oldest are judged as they are. */
export const TRACES_MAX = 50_000

export type OpenTraces = {
  /** In the order in which they began; see `T`. */
  traces: Records
  /** In the order in which they came; see `S`. */
  steps: Records
  /** Record of a trace by the hash of tenant and trace. */
  rowOf: IdentityMap
  /** Names that records refer to by number. */
  words: Words
}

/** Columns of a trace. Names are numbers of words; steps are a chain of records. */
export const T = {
  identity: 0,
  lastMs: 1,
  costPico: 2,
  tenant: 3,
  route: 4,
  user: 5,
  first: 6,
  last: 7,
  count: 8,
  stride: 9
} as const

/** Columns of a step. */
export const S = {
  startMs: 0,
  endMs: 1,
  span: 2,
  parent: 3,
  refused: 4,
  kind: 5,
  name: 6,
  next: 7,
  stride: 8
} as const

export const TRACE_SHAPE = { doubles: T.stride, floats: 0, bytes: 0 }
export const STEP_SHAPE = { doubles: S.stride, floats: 0, bytes: 0 }

/** Stands for no record and no word: whole numbers are saved in few bytes, NaN is not one. */
const NONE = -1

export type Words = { texts: string[]; numbers: Map<string, number> }

export const createOpenTraces = (): OpenTraces => ({
  traces: createRecords(TRACE_SHAPE),
  steps: createRecords(STEP_SHAPE),
  rowOf: createIdentityMap(),
  words: createWords([])
})

export const createWords = (texts: string[]): Words => ({
  texts,
  numbers: new Map(texts.map((text, number) => [text, number]))
})

const numberOf = ({ texts, numbers }: Words, text: string | null | undefined): number => {
  if (text === null || text === undefined) return NONE
  const known = numbers.get(text)
  if (known !== undefined) return known
  numbers.set(text, texts.length)
  return texts.push(text) - 1
}

/** Adds steps, one a row. */
export const addSteps = (open: OpenTraces, columns: Columns): void => {
  const names = new Map<number, SeriesNames>()
  for (let row = 0; row < columns.rows; row++) {
    const series = columns.series[row]!
    let named = names.get(series)
    if (named === undefined) names.set(series, (named = namesOf(open, columns.keys[series]!)))
    addStep(open, columns, { row, named })
  }
}

type SeriesNames = { tenant: number; kind: number; name: number; route: number }

const namesOf = ({ words }: OpenTraces, keys: Columns['keys'][number]): SeriesNames => {
  const [tenant, kind, name, route] = keys
  return {
    tenant: numberOf(words, tenant ?? ''),
    kind: numberOf(words, kind ?? ''),
    name: numberOf(words, name),
    route: numberOf(words, route)
  }
}

const addStep = (
  open: OpenTraces,
  { measures, texts }: Columns,
  { row, named }: { row: number; named: SeriesNames }
): void => {
  const startMs = measures['time_ms']![row]!
  const endMs = startMs + measures['duration_ms']![row]!
  const at = traceAt(open, measures['trace']![row]!, named.tenant)
  const d = open.traces.doubles
  if (d[at + T.route] === NONE) d[at + T.route] = named.route
  if (d[at + T.user] === NONE) d[at + T.user] = numberOf(open.words, texts['user']!.at(row))
  d[at + T.lastMs] = Math.max(d[at + T.lastMs]!, endMs)
  const cost = measures['cost_pico']![row]!
  if (!Number.isNaN(cost)) d[at + T.costPico]! += cost
  if (d[at + T.count]! >= STEPS_MAX) return
  const step = addRecord(open.steps)
  const s = open.steps.doubles
  const from = step * S.stride
  s[from + S.startMs] = startMs
  s[from + S.endMs] = endMs
  s[from + S.span] = orNone(measures['span']![row]!)
  s[from + S.parent] = orNone(measures['parent']![row]!)
  s[from + S.refused] = measures['refused']![row] === 1 ? 1 : 0
  s[from + S.kind] = named.kind
  s[from + S.name] = named.name
  s[from + S.next] = NONE
  if (d[at + T.count] === 0) d[at + T.first] = step
  else s[d[at + T.last]! * S.stride + S.next] = step
  d[at + T.last] = step
  d[at + T.count]! += 1
}

/** Where the columns of a trace begin; those of a new one are 0. */
const traceAt = ({ traces, rowOf }: OpenTraces, identity: number, tenant: number): number => {
  const known = getIdentity(rowOf, identity)
  if (known !== undefined) return known * T.stride
  const row = addRecord(traces)
  setIdentity(rowOf, identity, row)
  const at = row * T.stride
  const d = traces.doubles
  d[at + T.identity] = identity
  d[at + T.tenant] = tenant
  d[at + T.route] = NONE
  d[at + T.user] = NONE
  d[at + T.first] = NONE
  d[at + T.last] = NONE
  return at
}

const orNone = (value: number): number => (Number.isNaN(value) ? NONE : value)

/** Hands over the traces that are over by `nowMs`, in the order in which they began. */
export const takeQuiet = (
  open: OpenTraces,
  nowMs: number,
  take: (trace: OpenTrace) => void
): void => {
  const { traces } = open
  const left: number[] = []
  let size = traces.size
  for (let row = 0; row < traces.size; row++) {
    const lastMs = traces.doubles[row * T.stride + T.lastMs]!
    if (lastMs + QUIET_MS >= nowMs && size <= TRACES_MAX) {
      left.push(row)
      continue
    }
    size -= 1
    take(traceOf(open, row))
  }
  if (left.length < traces.size) keepTraces(open, left)
}

const traceOf = ({ traces, steps, words }: OpenTraces, row: number): OpenTrace => {
  const d = traces.doubles
  const at = row * T.stride
  const own: Step[] = []
  for (let step = d[at + T.first]!; step !== NONE; step = steps.doubles[step * S.stride + S.next]!)
    own.push(stepOf(steps, words, step * S.stride))
  return {
    tenant: words.texts[d[at + T.tenant]!]!,
    route: words.texts[d[at + T.route]!] ?? null,
    user: words.texts[d[at + T.user]!] ?? null,
    costPico: d[at + T.costPico]!,
    steps: own
  }
}

const stepOf = ({ doubles: d }: Records, { texts }: Words, at: number): Step => ({
  kind: texts[d[at + S.kind]!]!,
  name: texts[d[at + S.name]!] ?? null,
  startMs: d[at + S.startMs]!,
  endMs: d[at + S.endMs]!,
  span: orNull(d[at + S.span]!),
  parent: orNull(d[at + S.parent]!),
  refused: d[at + S.refused] === 1
})

const orNull = (value: number): number | null => (value === NONE ? null : value)

/** Keeps these traces, in this order, their steps, and the words that both refer to. */
const keepTraces = (open: OpenTraces, left: readonly number[]): void => {
  const { traces, steps, rowOf } = open
  const kept: number[] = []
  for (const row of left) {
    const at = row * T.stride
    const first = kept.length
    for (let step = traces.doubles[at + T.first]!; step !== NONE;) {
      kept.push(step)
      const from = step * S.stride
      step = steps.doubles[from + S.next]!
      steps.doubles[from + S.next] = step === NONE ? NONE : kept.length
    }
    traces.doubles[at + T.first] = kept.length === first ? NONE : first
    traces.doubles[at + T.last] = kept.length === first ? NONE : kept.length - 1
  }
  keepRecords(steps, kept)
  keepRecords(traces, left)
  clearIdentities(rowOf)
  indexTraces(open)
  open.words = keepWords(open)
}

/** Notes which record is which trace's. */
export const indexTraces = ({ traces, rowOf }: OpenTraces): void => {
  for (let row = 0; row < traces.size; row++) {
    setIdentity(rowOf, traces.doubles[row * T.stride + T.identity]!, row)
  }
}

/** Users come and go: words that nothing refers to are forgotten. */
const keepWords = ({ traces, steps, words: { texts } }: OpenTraces): Words => {
  const words = createWords([])
  const renumber = ({ doubles: d, size, shape }: Records, columns: readonly number[]): void => {
    for (let row = 0; row < size; row++) {
      for (const column of columns) {
        const at = row * shape.doubles + column
        d[at] = numberOf(words, texts[d[at]!])
      }
    }
  }
  renumber(traces, [T.tenant, T.route, T.user])
  renumber(steps, [S.kind, S.name])
  return words
}
