import {
  createPlaces,
  dropIdlePlaces,
  NO_PLACE,
  placeOf,
  placesInLine,
  touchPlace,
  type RecentPlaces
} from '../statistics/recent-places.ts'
import type { Part } from '../statistics/state-parts.ts'
import { createTrace, type Trace } from './trace.ts'

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

/** Traces in line, the oldest first. */
export const tracesPart: Part<Traces> = {
  save: ({ places, byPlace }) => {
    const line = placesInLine(places)
    return {
      json: Array.from(line, (place) => byPlace[place]!),
      arrays: [Float64Array.from(line, (place) => places.identities[place]!)]
    }
  },
  restore: (json, arrays, fresh) => {
    const [identities] = arrays.splice(0, 1)
    for (const [i, trace] of (json as Trace[]).entries()) {
      fresh.byPlace[touchPlace(fresh.places, identities![i]!, trace.lastMs)] = trace
    }
    return fresh
  }
}
