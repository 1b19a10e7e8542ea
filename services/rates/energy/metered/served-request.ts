import type { PhaseWeights } from './phase-weights.ts'

/** A request as its server ran it: queueing ends at `startMs`, where energy begins. */
export type ServedRequest = {
  id: string
  tenant: string
  /** The model whose replica ran it, where a host runs several: requests share a batch with their own. */
  replica?: string
  startMs: number
  firstTokenMs: number
  endMs: number
  uncached: number
  cached: number
  out: number
}

export type Window = { fromMs: number; toMs: number }

export const overlapMs = (window: Window, fromMs: number, toMs: number): number =>
  Math.max(0, Math.min(window.toMs, toMs) - Math.max(window.fromMs, fromMs))

// Share of a phase that falls into a window; a phase without length falls whole into its moment.
const shareOf = (window: Window, fromMs: number, toMs: number): number => {
  if (toMs > fromMs) return overlapMs(window, fromMs, toMs) / (toMs - fromMs)
  return fromMs >= window.fromMs && fromMs < window.toMs ? 1 : 0
}

/** One request per id; of copies that differ, the one that serialises smallest, in any order. */
export const distinctRequests = (requests: readonly ServedRequest[]): ServedRequest[] => {
  const byId = new Map<string, ServedRequest>()
  for (const request of requests) {
    const known = byId.get(request.id)
    if (known === undefined || JSON.stringify(request) < JSON.stringify(known)) {
      byId.set(request.id, request)
    }
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Mean number of decoding requests over the part of the window in which any decodes. */
export const decodingBatch = (window: Window, requests: readonly ServedRequest[]): number => {
  const spans = requests
    .map(({ firstTokenMs, endMs }) => ({
      fromMs: Math.max(window.fromMs, firstTokenMs),
      toMs: Math.min(window.toMs, endMs)
    }))
    .filter(({ fromMs, toMs }) => toMs > fromMs)
  const total = spans.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs), 0)
  const busy = unionMs(spans)
  return busy > 0 ? total / busy : 1
}

/** That mean for the replica of each request: a host may run several models. */
export const decodingBatches = (
  window: Window,
  requests: readonly ServedRequest[]
): ((request: ServedRequest) => number) => {
  const replicas = [...new Set(requests.map(({ replica }) => replica))]
  const batches = new Map(
    replicas.map((replica) => [
      replica,
      decodingBatch(
        window,
        requests.filter((request) => request.replica === replica)
      )
    ])
  )
  return ({ replica }) => batches.get(replica) ?? 1
}

/** Length of the union of spans. */
export const unionMs = (spans: readonly Window[]): number => {
  let covered = 0
  let reached = Number.NEGATIVE_INFINITY
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    // A request that ended before the first reading of its window leaves an empty span.
    if (toMs <= Math.max(reached, fromMs)) continue
    covered += toMs - Math.max(fromMs, reached)
    reached = toMs
  }
  return covered
}

/** Relative cost of what a request did in a window; tokens are spread evenly over their phase. */
export const weightIn = (
  window: Window,
  request: ServedRequest,
  weights: PhaseWeights,
  batch: number
): number => {
  const input = request.uncached + request.cached
  const prefill = shareOf(window, request.startMs, request.firstTokenMs)
  const decode = shareOf(window, request.firstTokenMs, request.endMs)
  return (
    prefill * request.uncached * weights.uncached(input) +
    prefill * request.cached * weights.cached(input) +
    decode * request.out * weights.output(contextIn(window, request, input), batch)
  )
}

// Mean context of the tokens written inside the window.
const contextIn = (window: Window, request: ServedRequest, input: number): number => {
  const length = request.endMs - request.firstTokenMs
  if (length <= 0) return input + request.out / 2
  const from = Math.max(window.fromMs, request.firstTokenMs)
  const to = Math.min(window.toMs, request.endMs)
  const middle = ((from + to) / 2 - request.firstTokenMs) / length
  return input + request.out * Math.min(1, Math.max(0, middle))
}
