import type { EnergyFactors, HalfWidth } from './factors.ts'
import { DEFAULT_GPU, findGpu, gpuByName, isMeasured, type GpuSpec } from './gpu.ts'
import { findModel, structureFromSize, type ModelStructure } from './model-table.ts'
import { findPrecision, PRECISIONS, type Precision } from './precision.ts'
import type { Deployment } from './roofline.ts'

/** What is known of where a call ran. Whatever is null or absent is assumed and widens. */
export type DeploymentRequest = {
  model?: string | null | undefined
  totalB?: number | null | undefined
  activeB?: number | null | undefined
  gpu?: string | null | undefined
  gpuCount?: number | null | undefined
  precision?: string | null | undefined
  /** Year of the serving software, or of the call. */
  engineYear?: number | null | undefined
}

export type ResolvedDeployment = {
  deployment: Deployment
  /** What had to be assumed, in words, each with the half-widths it adds. */
  assumptions: Assumption[]
  /** Whether model size and GPU are known well enough for a latency to tell the batch. */
  hardwareKnown: boolean
  modelKnown: boolean
}

export type Assumption = HalfWidth & { what: string }

// Half-widths (80 %, natural logarithm) of what is assumed. The spread of board efficiency among
// measured GPUs is 0.2; of GPU types among clouds, with their power and memory, 0.35. One halving
// or doubling of the GPU count moves energy by about 0.25; bf16 against fp8 by 0.1 to 0.35.
const GPU_UNMEASURED = 0.2
const GPU_UNKNOWN = 0.35
const COUNT_UNKNOWN = 0.25
const PRECISION_OF_OPEN_MODEL = 0.1
const PRECISION_OF_CLOSED_MODEL = 0.35
const STRUCTURE_UNKNOWN = { below: 0.2, above: 0.2 }
const MIXTURE_STRUCTURE_UNKNOWN = { below: 0.35, above: 0.35 }
// The 2024 software needs 1.6 times the energy; where it is guessed, the truth lies mostly below.
const ENGINE_GUESSED = { below: 0.3, above: 0.1 }
const ENGINE_UNKNOWN = { below: 0.3, above: 0.3 }
/** Weights times this is what serving needs in memory, cache included. */
const MEMORY_MARGIN = 1.2
/** No replica of a model spans more than two hosts of eight here. */
const GPU_COUNT_MAX = 16
/** The first year whose serving software is as efficient as today's. */
export const ENGINE_CURRENT_YEAR = 2025
/** Models released before this month were mostly measured on software of 2024. */
const OLD_MODEL_BEFORE = '2024-10'
// A hosted model of which nothing is published: from small (10 B active) to the largest (360 B).
const UNKNOWN_MODEL: ModelStructure = {
  ...structureFromSize(300, 60),
  name: 'unknown',
  activeLowB: 10,
  activeHighB: 360,
  disclosed: false,
  known: 'guess'
}
/** Given counts belong to the named structure if they agree with it this closely. */
const COUNT_AGREEMENT = 0.25

const symmetric = (what: string, halfWidth: number): Assumption => ({
  what,
  below: halfWidth,
  above: halfWidth
})

/** Works out model, GPU, count, precision and software from what is known. */
export const resolveDeployment = (
  request: DeploymentRequest,
  factors: EnergyFactors
): ResolvedDeployment => {
  const assumptions: Assumption[] = []
  const assume = (assumption: Assumption): void => void assumptions.push(assumption)
  const model = resolveModel(request, assume)
  const found = findGpu(request.gpu)
  const gpu = found ?? gpuByName(DEFAULT_GPU)
  if (found === null) assume(symmetric(`GPU assumed ${gpu.name}`, GPU_UNKNOWN))
  else if (!isMeasured(gpu)) {
    assume(
      symmetric(`no open measurement for ${gpu.name}`, gpu.kin === null ? 0.35 : GPU_UNMEASURED)
    )
  }
  const precision = resolvePrecision(request, model, assume)
  const gpuCount = resolveCount(request.gpuCount, { model, gpu, precision }, assume)
  const engine2024 = resolveEngine(request.engineYear, { model, gpu, factors }, assume)
  return {
    deployment: { model, gpu, gpuCount, precision, engine2024 },
    assumptions,
    hardwareKnown: found !== null,
    modelKnown: model.known !== 'guess'
  }
}

type Assume = (assumption: Assumption) => void

const resolveModel = (request: DeploymentRequest, assume: Assume): ModelStructure => {
  const model = sized(request, findModel(request.model)) ?? UNKNOWN_MODEL
  if (model.known === 'guess') {
    const range = Math.log(model.activeHighB / model.activeLowB) / 2
    assume(symmetric(`active parameters guessed for ${model.name}`, Math.max(range, 0.5)))
  } else if (model.known === 'size') {
    const wide = model.activeB < model.totalB ? MIXTURE_STRUCTURE_UNKNOWN : STRUCTURE_UNKNOWN
    assume({ what: 'layers and cache size from the parameter count', ...wide })
  }
  return model
}

// Counts that the caller gives win over the table; its structure stays if they are of that model.
const sized = (
  { totalB, activeB }: DeploymentRequest,
  named: ModelStructure | null
): ModelStructure | null => {
  const total = positive(totalB) ?? (named === null ? positive(activeB) : null)
  if (total === null) return named
  const active = Math.min(positive(activeB) ?? named?.activeB ?? total, total)
  const counted = structureFromSize(total, active)
  if (named === null) return counted
  const { name, released, precision } = named
  const base = agrees(named, counted) ? named : counted
  const counts = { totalB: total, activeB: active, activeLowB: active, activeHighB: active }
  return { ...base, ...counts, name, released, precision }
}

const agrees = (named: ModelStructure, counted: ModelStructure): boolean =>
  named.known === 'table' &&
  Math.abs(named.totalB / counted.totalB - 1) < COUNT_AGREEMENT &&
  Math.abs(named.activeB / counted.activeB - 1) < COUNT_AGREEMENT

const positive = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && value > 0 ? value : null

const resolvePrecision = (
  request: DeploymentRequest,
  model: ModelStructure,
  assume: Assume
): Precision => {
  const named = findPrecision(request.precision) ?? findPrecision(request.model)
  if (named !== null) return named
  const native = findPrecision(model.precision)
  if (native !== null) return native
  // Weights are published in bf16; providers who publish none serve mostly in eight bits.
  const assumed = model.disclosed ? 'bf16' : 'fp8'
  const halfWidth = model.disclosed ? PRECISION_OF_OPEN_MODEL : PRECISION_OF_CLOSED_MODEL
  assume(symmetric(`precision assumed ${assumed}`, halfWidth))
  return assumed
}

type Placement = { model: ModelStructure; gpu: GpuSpec; precision: Precision }

const resolveCount = (
  count: number | null | undefined,
  { model, gpu, precision }: Placement,
  assume: Assume
): number => {
  const given = positive(count)
  if (given !== null) return given
  const gigabytes = model.totalB * PRECISIONS[precision].bytesPerParameter * MEMORY_MARGIN
  const needed = 2 ** Math.ceil(Math.log2(Math.max(1, gigabytes / gpu.memoryGigabytes)))
  const assumed = Math.min(needed, GPU_COUNT_MAX)
  assume(symmetric(`GPU count assumed ${assumed}`, COUNT_UNKNOWN))
  return assumed
}

type Vintage = { model: ModelStructure; gpu: GpuSpec; factors: EnergyFactors }

const resolveEngine = (
  year: number | null | undefined,
  { model, gpu, factors }: Vintage,
  assume: Assume
): number => {
  if (year !== null && year !== undefined) return year < ENGINE_CURRENT_YEAR ? 1 : 0
  if (gpu.yearAvailable >= ENGINE_CURRENT_YEAR) return 0
  if (model.released === null && model.disclosed) {
    assume({ what: 'age of model and serving software not known', ...ENGINE_UNKNOWN })
    return factors.engine2024Share / 2
  }
  if (!mayRunOldSoftware(model, gpu)) return 0
  assume({ what: 'serving software guessed from the age of the model', ...ENGINE_GUESSED })
  return factors.engine2024Share
}

/** Whether a model of that age on that GPU may have been served by software of 2024. */
export const mayRunOldSoftware = (model: ModelStructure, gpu: GpuSpec): boolean =>
  model.released !== null &&
  model.released < OLD_MODEL_BEFORE &&
  gpu.yearAvailable < ENGINE_CURRENT_YEAR
