import type { Columns } from '../define.ts'
import {
  clearIdentities,
  createIdentityMap,
  getIdentity,
  setIdentity,
  type IdentityMap
} from '../statistics/identity-map.ts'
import type { Step } from './critical-path.ts'
import { addRow, createRows, keepRows, type Rows } from './rows.ts'

/**
 * Traces whose steps are still coming in. A trace is judged when it was quiet for a minute. Half a
 * million may begin in a busy minute, so they are rows of numbers, and objects only when judged.
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
  traces: Rows
  /** In the order in which they came; see `S`. */
  steps: Rows
  /** Row of a trace by the hash of tenant and trace. */
  rowOf: IdentityMap
  /** Names that rows refer to by number. */
  words: Words
}

/** Columns of a trace. Names are numbers of words; steps are a chain of rows. */
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

/** Stands for no row and no word: whole numbers are saved in few bytes, NaN is not one. */
const NONE = -1

export type Words = { texts: string[]; numbers: Map<string, number> }

export const createOpenTraces = (): OpenTraces => ({
  traces: createRows(T.stride),
  steps: createRows(S.stride),
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
  const d = open.traces.numbers
  if (d[at + T.route] === NONE) d[at + T.route] = named.route
  if (d[at + T.user] === NONE) d[at + T.user] = numberOf(open.words, texts['user']!.at(row))
  d[at + T.lastMs] = Math.max(d[at + T.lastMs]!, endMs)
  const cost = measures['cost_pico']![row]!
  if (!Number.isNaN(cost)) d[at + T.costPico]! += cost
  if (d[at + T.count]! >= STEPS_MAX) return
  const step = addRow(open.steps)
  const s = open.steps.numbers
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

/** Where the columns of a trace begin. */
const traceAt = ({ traces, rowOf }: OpenTraces, identity: number, tenant: number): number => {
  const known = getIdentity(rowOf, identity)
  if (known !== undefined) return known * T.stride
  const row = addRow(traces)
  setIdentity(rowOf, identity, row)
  const at = row * T.stride
  const d = traces.numbers
  d[at + T.identity] = identity
  d[at + T.lastMs] = 0
  d[at + T.costPico] = 0
  d[at + T.tenant] = tenant
  d[at + T.route] = NONE
  d[at + T.user] = NONE
  d[at + T.first] = NONE
  d[at + T.last] = NONE
  d[at + T.count] = 0
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
  let size = traces.rows
  for (let row = 0; row < traces.rows; row++) {
    const lastMs = traces.numbers[row * T.stride + T.lastMs]!
    if (lastMs + QUIET_MS >= nowMs && size <= TRACES_MAX) {
      left.push(row)
      continue
    }
    size -= 1
    take(traceOf(open, row))
  }
  if (left.length < traces.rows) keepTraces(open, left)
}

const traceOf = ({ traces, steps, words }: OpenTraces, row: number): OpenTrace => {
  const d = traces.numbers
  const at = row * T.stride
  const own: Step[] = []
  for (let step = d[at + T.first]!; step !== NONE; step = steps.numbers[step * S.stride + S.next]!)
    own.push(stepOf(steps, words, step * S.stride))
  return {
    tenant: words.texts[d[at + T.tenant]!]!,
    route: words.texts[d[at + T.route]!] ?? null,
    user: words.texts[d[at + T.user]!] ?? null,
    costPico: d[at + T.costPico]!,
    steps: own
  }
}

const stepOf = ({ numbers }: Rows, { texts }: Words, at: number): Step => ({
  kind: texts[numbers[at + S.kind]!]!,
  name: texts[numbers[at + S.name]!] ?? null,
  startMs: numbers[at + S.startMs]!,
  endMs: numbers[at + S.endMs]!,
  span: orNull(numbers[at + S.span]!),
  parent: orNull(numbers[at + S.parent]!),
  refused: numbers[at + S.refused] === 1
})

const orNull = (value: number): number | null => (value === NONE ? null : value)

/** Keeps these traces, by rows in order, their steps, and the words that both refer to. */
const keepTraces = (open: OpenTraces, left: readonly number[]): void => {
  const { traces, steps, rowOf } = open
  const kept: number[] = []
  for (const row of left) {
    const at = row * T.stride
    const first = kept.length
    for (let step = traces.numbers[at + T.first]!; step !== NONE;) {
      kept.push(step)
      const from = step * S.stride
      step = steps.numbers[from + S.next]!
      steps.numbers[from + S.next] = step === NONE ? NONE : kept.length
    }
    traces.numbers[at + T.first] = kept.length === first ? NONE : first
    traces.numbers[at + T.last] = kept.length === first ? NONE : kept.length - 1
  }
  keepRows(steps, kept)
  keepRows(traces, left)
  clearIdentities(rowOf)
  indexRows(open)
  open.words = keepWords(open)
}

/** Notes the rows of all traces; those of a restored state, too. */
export const indexRows = ({ traces, rowOf }: OpenTraces): void => {
  for (let row = 0; row < traces.rows; row++) {
    setIdentity(rowOf, traces.numbers[row * T.stride + T.identity]!, row)
  }
}

/** Users come and go: words that nothing refers to are forgotten. */
const keepWords = ({ traces, steps, words: { texts } }: OpenTraces): Words => {
  const words = createWords([])
  const renumber = ({ numbers, rows, stride }: Rows, columns: readonly number[]): void => {
    for (let row = 0; row < rows; row++) {
      for (const column of columns) {
        const at = row * stride + column
        numbers[at] = numberOf(words, texts[numbers[at]!])
      }
    }
  }
  renumber(traces, [T.tenant, T.route, T.user])
  renumber(steps, [S.kind, S.name])
  return words
}
