import { resolveDeployment } from '../../services/rates/energy/deployment.ts'
import { FACTORS } from '../../services/rates/energy/factors.ts'
import {
  attributeEnergy,
  WINDOW_MS_DEFAULT,
  type Attribution
} from '../../services/rates/energy/metered/attribute.ts'
import { energyCurve, type LostSpan } from '../../services/rates/energy/metered/energy-curve.ts'
import { idleWatts } from '../../services/rates/energy/metered/idle-power.ts'
import type { MeterReading } from '../../services/rates/energy/metered/meter-reading.ts'
import {
  phaseWeights,
  type PhaseWeights
} from '../../services/rates/energy/metered/phase-weights.ts'
import type { ServedRequest } from '../../services/rates/energy/metered/served-request.ts'

/** Version of the split that stands on every row: rule and factors. */
export const SPLIT_VERSION = `phase-1/${FACTORS.version}`

/** A call as the lake has it; `key` numbers it within its day. */
export type HostCall = ServedRequest & {
  key: number
  model: string | null
  gpu: string | null
  precision: string | null
  gpuCount: number | null
  /** Central estimate, for windows without telemetry; null = none. */
  estimateMicrojoules: number | null
}

export type HostDay = {
  host: string
  fromMs: number
  toMs: number
  /** Readings and calls of the day, and of some time around it. */
  readings: readonly MeterReading[]
  calls: readonly HostCall[]
  /** Idle power of one GPU; null = learned from quiet spans. */
  idleWattsPerGpu: number | null
}

/** A row of `energy_measured` but for the call's identity, which `key` stands for. */
export type MeasuredRow = {
  host: string
  window_ms: number
  line: string
  key: number | null
  microjoules: number
  window_coverage: number | null
}

export type MeasuredHostDay = {
  rows: MeasuredRow[]
  /** Null where the floor could not be learned and none was given: nothing is called idle then. */
  idleWattsPerGpu: number | null
  /** What counters lost, of spans that begin in the day. */
  lost: LostEnergy[]
}

/** Of one GPU: how often its counter lost what was drawn, and over how long in all. */
export type LostEnergy = { host: string; gpu: string; spans: number; seconds: number }

/**
 * Splits what the GPUs of a host drew in a day among the calls it served. The GPUs are one group;
 * each model on it has its own batch and weights.
 */
export const measureHostDay = (day: HostDay): MeasuredHostDay => {
  const gpus = [...new Set(day.readings.map(({ gpu }) => gpu))].sort()
  const curves = gpus.map((gpu) => energyCurve(day.readings.filter((row) => row.gpu === gpu)))
  const floors = curves.map((curve) => idleWatts(curve, day.calls))
  const learned = floors.some((floor) => floor === null)
    ? null
    : floors.reduce<number>((sum, floor) => sum + (floor ?? 0), 0) / Math.max(1, floors.length)
  const floor = day.idleWattsPerGpu ?? learned
  const weightsOf = weightsByDeployment(day)
  const calls = new Map(day.calls.map((call) => [call.id, call]))
  const found = attributeEnergy({
    curves,
    requests: day.calls,
    weights: weightsOf(null),
    weightsOf: ({ id }) => weightsOf(calls.get(id) ?? null),
    idleWattsPerGpu: floor ?? 0,
    estimate: ({ id }) => calls.get(id)?.estimateMicrojoules ?? 0
  })
  const lost = gpus.flatMap((gpu, index) => lostOf(day, gpu, curves[index]?.lost ?? []))
  return { rows: rowsOf(found, day, calls), idleWattsPerGpu: floor, lost }
}

const MS_PER_S = 1000

const lostOf = (
  { host, fromMs, toMs }: HostDay,
  gpu: string,
  spans: readonly LostSpan[]
): LostEnergy[] => {
  const own = spans.filter((span) => span.fromMs >= fromMs && span.fromMs < toMs)
  if (own.length === 0) return []
  const ms = own.reduce((sum, span) => sum + span.toMs - span.fromMs, 0)
  return [{ host, gpu, spans: own.length, seconds: ms / MS_PER_S }]
}

const weightsByDeployment = ({ readings, fromMs }: HostDay) => {
  const known = new Map<string, PhaseWeights>()
  const metered = readings.find(({ gpuModel }) => gpuModel !== null)?.gpuModel ?? null
  const engineYear = new Date(fromMs).getUTCFullYear()
  return (call: HostCall | null): PhaseWeights => {
    const request = {
      model: call?.model ?? null,
      gpu: call?.gpu ?? metered,
      gpuCount: call?.gpuCount ?? null,
      precision: call?.precision ?? null,
      engineYear
    }
    const key = JSON.stringify(request)
    const weights =
      known.get(key) ?? phaseWeights(resolveDeployment(request, FACTORS).deployment, FACTORS)
    known.set(key, weights)
    return weights
  }
}

const windowOf = (timeMs: number): number =>
  Math.floor(timeMs / WINDOW_MS_DEFAULT) * WINDOW_MS_DEFAULT

const rowsOf = (
  found: Attribution,
  { host, fromMs, toMs }: HostDay,
  calls: ReadonlyMap<string, HostCall>
): MeasuredRow[] => {
  const row = (
    timeMs: number,
    line: string,
    microjoules: number,
    { id = null, coverage = null }: { id?: string | null; coverage?: number | null }
  ): MeasuredRow[] => {
    const window_ms = windowOf(timeMs)
    if (microjoules === 0 || window_ms < fromMs || window_ms >= toMs) return []
    const key = id === null ? null : (calls.get(id)?.key ?? null)
    return [{ host, window_ms, line, key, microjoules, window_coverage: coverage }]
  }
  return [
    ...found.windows.flatMap((window) => [
      ...row(window.fromMs, 'meter', window.meterMicrojoules, window),
      ...row(window.fromMs, 'idle_unallocated', window.idleUnallocatedMicrojoules, window),
      ...row(window.fromMs, 'unattributed', window.unattributedMicrojoules, window)
    ]),
    ...found.shares.flatMap((share) => [
      ...row(share.fromMs, 'active', share.activeMicrojoules, share),
      ...row(share.fromMs, 'idle_serving', share.idleMicrojoules, share)
    ]),
    // A call outside all telemetry is not measured at all, and its estimate stands in `events`.
    ...found.requests
      .filter(({ windowCoverage }) => windowCoverage > 0)
      .flatMap(({ id, estimatedMicrojoules }) =>
        row(calls.get(id)?.startMs ?? 0, 'estimated', estimatedMicrojoules, { id })
      )
  ]
}
