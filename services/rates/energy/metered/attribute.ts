import { Failure } from '../../../../schemas/failure.ts'
import { apportion, type Claim } from './apportion.ts'
import { coverageBetween, microjoulesBetween, type EnergyCurve } from './energy-curve.ts'
import type { PhaseWeights } from './phase-weights.ts'
import {
  decodingBatch,
  decodingBatches,
  distinctRequests,
  overlapMs,
  unionMs,
  weightIn,
  type ServedRequest,
  type Window
} from './served-request.ts'

/**
 * Splits what a group of GPUs drew among the requests it served, window by window, by the phases of
 * their work: Σ requests + idle + unattributed = meter, exact in microjoules. Pure: requests and
 * readings may come in any order and more than once, and a late one is handled by calling again and
 * taking `energyCorrections` against what was said before.
 */
export type Attribution = {
  requests: RequestEnergy[]
  lines: EnergyLines
  windows: WindowEnergy[]
  /** What each request drew in each window: the rows behind both. */
  shares: WindowShare[]
}

export type WindowShare = Window & {
  id: string
  activeMicrojoules: number
  idleMicrojoules: number
}

export type RequestEnergy = {
  id: string
  tenant: string
  /** Energy above the idle floor, and the share of the floor while it was served. */
  activeMicrojoules: number
  idleMicrojoules: number
  /** Share of its work in windows whose telemetry is good; the rest is estimated, see `estimated`. */
  windowCoverage: number
  /** What the estimate adds for windows without telemetry: outside the meter's balance. */
  estimatedMicrojoules: number
  method: 'measured' | 'mixed' | 'estimated'
}

export type EnergyLines = {
  meterMicrojoules: number
  activeMicrojoules: number
  idleServingMicrojoules: number
  /** Floor while nothing ran: capacity that stood ready, nobody's. */
  idleUnallocatedMicrojoules: number
  /** Drawn above the floor by no request that is known, or while telemetry was dark. */
  unattributedMicrojoules: number
}

export type WindowEnergy = Window & {
  meterMicrojoules: number
  activeMicrojoules: number
  idleServingMicrojoules: number
  idleUnallocatedMicrojoules: number
  unattributedMicrojoules: number
  coverage: number
}

export type AttributionInput = {
  /** One curve per GPU of the replica, never a GPU twice. */
  curves: readonly EnergyCurve[]
  requests: readonly ServedRequest[]
  /** Of the deployment; where the host runs several models, by request. */
  weights: PhaseWeights
  weightsOf?: (request: ServedRequest) => PhaseWeights
  /** Floor of one GPU with the model loaded: from configuration or samples without requests. */
  idleWattsPerGpu: number
  windowMs?: number
  /** Tokens that the server counted in a window, where it is scraped: shows requests not seen. */
  serverTokens?: (window: Window) => { input: number; output: number } | null
  /** Estimated microjoules of a whole request, for windows without telemetry. */
  estimate?: (request: ServedRequest) => number
}

/** Counters step about every 0.1 s and scrapes about every second; below five seconds noise rules. */
export const WINDOW_MS_DEFAULT = 10_000
/** A window with less of its course known than this is not split by measurement. */
export const COVERAGE_MIN = 0.8

type Share = { active: number; idle: number; covered: number; dark: number }

export const attributeEnergy = (input: AttributionInput): Attribution => {
  const windowMs = input.windowMs ?? WINDOW_MS_DEFAULT
  if (!(windowMs > 0)) throw new Failure('E_USAGE', `windowMs is ${windowMs}, not above 0`)
  const requests = distinctRequests(input.requests)
  const shares = new Map(
    requests.map(({ id }) => [id, { active: 0, idle: 0, covered: 0, dark: 0 } satisfies Share])
  )
  const present = requestsByWindow(requests, windowMs)
  const byWindow: WindowShare[] = []
  const windows = windowsOf(input.curves, windowMs).map((window) => {
    const members = present.get(Math.floor(window.fromMs / windowMs)) ?? []
    return splitWindow(window, members, { input, shares, byWindow })
  })
  return {
    requests: requests.map((request) => requestRow(request, shares.get(request.id), input)),
    lines: totalOf(windows),
    windows,
    shares: byWindow
  }
}

// By number of the window, so that an hour of many requests is walked once, not once a window.
const requestsByWindow = (
  requests: readonly ServedRequest[],
  windowMs: number
): Map<number, ServedRequest[]> => {
  const present = new Map<number, ServedRequest[]>()
  for (const request of requests) {
    const last = Math.floor(request.endMs / windowMs)
    for (let index = Math.floor(request.startMs / windowMs); index <= last; index += 1) {
      const members = present.get(index)
      if (members === undefined) present.set(index, [request])
      else members.push(request)
    }
  }
  return present
}

// Windows lie on multiples of their length, wherever the first reading falls.
const windowsOf = (curves: readonly EnergyCurve[], windowMs: number): Window[] => {
  const segments = curves.flatMap(({ segments: own }) => own)
  if (segments.length === 0) return []
  const from = segments.reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity)
  const to = segments.reduce((most, { toMs }) => Math.max(most, toMs), -Infinity)
  const first = Math.floor(from / windowMs)
  const last = Math.ceil(to / windowMs)
  return Array.from({ length: last - first }, (_, index) => ({
    fromMs: Math.max(from, (first + index) * windowMs),
    toMs: Math.min(to, (first + index + 1) * windowMs)
  }))
}

type Scene = { input: AttributionInput; shares: Map<string, Share>; byWindow: WindowShare[] }

const splitWindow = (
  window: Window,
  present: readonly ServedRequest[],
  { input, shares, byWindow }: Scene
): WindowEnergy => {
  const { fromMs, toMs } = window
  const meter = sum(input.curves.map((curve) => microjoulesBetween(curve, fromMs, toMs)))
  const coverage = Math.min(...input.curves.map((curve) => coverageBetween(curve, fromMs, toMs)))
  const batchOf = decodingBatches(window, present)
  const claims = present.map((request) => ({
    key: request.id,
    weight: weightIn(window, request, input.weightsOf?.(request) ?? input.weights, batchOf(request))
  }))
  if (coverage < COVERAGE_MIN) {
    for (const { key, weight } of claims) addTo(shares, key, { dark: weight })
    return {
      ...window,
      ...NOTHING,
      meterMicrojoules: meter,
      unattributedMicrojoules: meter,
      coverage
    }
  }
  for (const { key, weight } of claims) addTo(shares, key, { covered: weight })
  const floor = Math.round(input.idleWattsPerGpu * input.curves.length * (toMs - fromMs) * 1000)
  const idle = Math.max(0, Math.min(meter, floor))
  const active = splitActive(meter - idle, { window, present, claims, input })
  const busy = splitIdle(idle, window, present)
  for (const { id } of present) {
    const activeMicrojoules = active.byRequest.get(id) ?? 0
    const idleMicrojoules = busy.get(id) ?? 0
    addTo(shares, id, { active: activeMicrojoules, idle: idleMicrojoules })
    byWindow.push({ ...window, id, activeMicrojoules, idleMicrojoules })
  }
  const idleServing = sum([...busy.values()])
  return {
    ...window,
    meterMicrojoules: meter,
    activeMicrojoules: sum([...active.byRequest.values()]),
    idleServingMicrojoules: idleServing,
    idleUnallocatedMicrojoules: idle - idleServing,
    unattributedMicrojoules: active.unattributed,
    coverage
  }
}

const NOTHING = {
  activeMicrojoules: 0,
  idleServingMicrojoules: 0,
  idleUnallocatedMicrojoules: 0
} as const

type Activity = Pick<Scene, 'input'> & {
  window: Window
  present: readonly ServedRequest[]
  claims: readonly Claim[]
}

/** The key of work that the server counted and no event tells of; no request's id holds a NUL. */
const UNSEEN = '\0unseen'

const splitActive = (microjoules: number, activity: Activity) => {
  const claims = [...activity.claims, { key: UNSEEN, weight: unseenWeight(activity) }]
  const shares = apportion(microjoules, claims)
  const claimed = sum([...shares.values()])
  const unseen = shares.get(UNSEEN) ?? 0
  shares.delete(UNSEEN)
  return { byRequest: shares, unattributed: microjoules - claimed + unseen }
}

// Server tokens beyond those of known requests weigh like short requests of the same batch.
const unseenWeight = ({ window, present, input }: Activity): number => {
  const server = input.serverTokens?.(window) ?? null
  if (server === null) return 0
  const batch = decodingBatch(window, present)
  const seen = present.map((request) => seenTokens(window, request))
  const input_ = Math.max(0, server.input - sum(seen.map(({ input: tokens }) => tokens)))
  const output = Math.max(0, server.output - sum(seen.map(({ output: tokens }) => tokens)))
  return input_ * input.weights.uncached(0) + output * input.weights.output(0, batch)
}

const seenTokens = (window: Window, request: ServedRequest) => {
  const share = (fromMs: number, toMs: number): number =>
    toMs > fromMs ? overlapMs(window, fromMs, toMs) / (toMs - fromMs) : 1
  return {
    input: (request.uncached + request.cached) * share(request.startMs, request.firstTokenMs),
    output: request.out * share(request.firstTokenMs, request.endMs)
  }
}

// The floor of the busy part of a window, by how long each request was there.
const splitIdle = (
  idle: number,
  window: Window,
  present: readonly ServedRequest[]
): Map<string, number> => {
  const spans = present.map(({ startMs, endMs }) => ({
    fromMs: Math.max(startMs, window.fromMs),
    toMs: Math.min(endMs, window.toMs)
  }))
  const busyShare = unionMs(spans) / (window.toMs - window.fromMs)
  return apportion(
    Math.round(idle * busyShare),
    present.map(({ id, startMs, endMs }) => ({
      key: id,
      weight: overlapMs(window, startMs, endMs)
    }))
  )
}

const addTo = (shares: Map<string, Share>, id: string, add: Partial<Share>): void => {
  const share = shares.get(id)
  if (share === undefined) return
  share.active += add.active ?? 0
  share.idle += add.idle ?? 0
  share.covered += add.covered ?? 0
  share.dark += add.dark ?? 0
}

const requestRow = (
  request: ServedRequest,
  share: Share | undefined,
  { estimate }: AttributionInput
): RequestEnergy => {
  const { active = 0, idle = 0, covered = 0, dark = 0 } = share ?? {}
  // A request outside all telemetry has no weight in any window: it is estimated whole.
  const windowCoverage = covered + dark > 0 ? covered / (covered + dark) : 0
  return {
    id: request.id,
    tenant: request.tenant,
    activeMicrojoules: active,
    idleMicrojoules: idle,
    windowCoverage,
    estimatedMicrojoules: Math.round((1 - windowCoverage) * (estimate?.(request) ?? 0)),
    method: methodOf(windowCoverage)
  }
}

const methodOf = (coverage: number): RequestEnergy['method'] => {
  if (coverage === 1) return 'measured'
  return coverage === 0 ? 'estimated' : 'mixed'
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

const totalOf = (windows: readonly WindowEnergy[]): EnergyLines => ({
  meterMicrojoules: sum(windows.map((window) => window.meterMicrojoules)),
  activeMicrojoules: sum(windows.map((window) => window.activeMicrojoules)),
  idleServingMicrojoules: sum(windows.map((window) => window.idleServingMicrojoules)),
  idleUnallocatedMicrojoules: sum(windows.map((window) => window.idleUnallocatedMicrojoules)),
  unattributedMicrojoules: sum(windows.map((window) => window.unattributedMicrojoules))
})
