import {
  createPlaces,
  dropIdlePlaces,
  NO_PLACE,
  placeOf,
  placesInLine,
  touchPlace,
  type RecentPlaces
} from '../statistics/recent-places.ts'
import { packColumns, unpackColumns } from '../statistics/packed-columns.ts'
import type { Part } from '../statistics/state-parts.ts'
import { createTrace, type Trace } from './trace.ts'
import type { Span } from './tree.ts'

/** Traces that run, by the identity of tenant and trace. */
export type Traces = { places: RecentPlaces; byPlace: Trace[] }

export const createTraces = (max: number, idleMs: number): Traces => ({
  places: createPlaces(max, idleMs),
  byPlace: []
})

/** The trace of a step, which becomes the latest; a new one where it is not known. */
export const traceFor = (
  { places, byPlace }: Traces,
  { identity, tenant, ms }: { identity: number; tenant: string; ms: number }
): Trace => {
  const known = placeOf(places, identity)
  // Steps come in order of their start, and the latest start is when a trace was last seen.
  const lastMs = known === NO_PLACE ? ms : Math.max(ms, byPlace[known]!.lastMs)
  const place = touchPlace(places, identity, lastMs)
  if (known === NO_PLACE) byPlace[place] = createTrace(tenant)
  return byPlace[place]!
}

/** Takes out the traces without a step for long, the oldest first. */
export const takeIdle = ({ places, byPlace }: Traces, nowMs: number): Trace[] => {
  const idle: Trace[] = []
  dropIdlePlaces(places, nowMs, (from, to) => {
    idle.push(byPlace[to]!)
    byPlace[to] = byPlace[from]!
    byPlace.length = from
  })
  return idle
}

/** Numbers of a span, in the order in which they are saved; its label is one of few. */
const SPAN_NUMBERS = ['id', 'parent', 'args', 'ms', 'endMs', 'reenters', 'inferred'] as const
const SPAN_STRIDE = SPAN_NUMBERS.length + 1

type SavedTraces = {
  /** Kind and label of spans, by number. */
  labels: [string, string][]
  /** Traces in line, the oldest first, each with how many spans it has. */
  traces: [Omit<Trace, 'spans'>, number][]
}

/** Spans are most of it: they are saved as numbers. */
export const tracesPart: Part<Traces> = {
  save: ({ places, byPlace }) => {
    const line = placesInLine(places)
    const traces = Array.from(line, (place) => byPlace[place]!)
    const { labels, numbers } = saveSpans(traces.flatMap(({ spans }) => spans))
    const saved: SavedTraces = {
      labels,
      traces: traces.map(({ spans, ...rest }) => [rest, spans.length])
    }
    return {
      json: saved,
      arrays: [
        Float64Array.from(line, (place) => places.identities[place]!),
        packColumns({ values: numbers, stride: SPAN_STRIDE })
      ]
    }
  },
  restore: (json, arrays, fresh) => {
    const [identities, packed] = arrays.splice(0, 2)
    const { labels, traces } = json as SavedTraces
    const count = traces.reduce((sum, [, spans]) => sum + spans, 0)
    const spans = restoreSpans(packed as Uint8Array, count, labels)
    let next = 0
    for (const [i, [rest, own]] of traces.entries()) {
      const place = touchPlace(fresh.places, identities![i]!, rest.lastMs)
      fresh.byPlace[place] = { ...rest, spans: spans.slice(next, (next += own)) }
    }
    return fresh
  }
}

const saveSpans = (
  spans: readonly Span[]
): { labels: [string, string][]; numbers: Float64Array } => {
  const labels: [string, string][] = []
  const known = new Map<string, number>()
  const labelOf = ({ kind, label }: Span): number => {
    const key = `${kind}\u001f${label}`
    const number = known.get(key) ?? labels.push([kind, label]) - 1
    known.set(key, number)
    return number
  }
  const numbers = new Float64Array(spans.length * SPAN_STRIDE)
  for (const [i, span] of spans.entries()) {
    for (const [n, name] of SPAN_NUMBERS.entries()) numbers[i * SPAN_STRIDE + n] = span[name]
    numbers[i * SPAN_STRIDE + SPAN_NUMBERS.length] = labelOf(span)
  }
  return { labels, numbers }
}

const restoreSpans = (packed: Uint8Array, count: number, labels: SavedTraces['labels']): Span[] => {
  const numbers = new Float64Array(count * SPAN_STRIDE)
  unpackColumns(packed, { values: numbers, stride: SPAN_STRIDE })
  return Array.from({ length: count }, (_, i) => {
    const of = (n: number): number => numbers[i * SPAN_STRIDE + n]!
    const [kind, label] = labels[of(SPAN_NUMBERS.length)]!
    const own = Object.fromEntries(SPAN_NUMBERS.map((name, n) => [name, of(n)]))
    return { ...(own as Pick<Span, (typeof SPAN_NUMBERS)[number]>), kind, label }
  })
}
