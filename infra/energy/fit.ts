import { resolveDeployment } from '../../services/rates/energy/deployment.ts'
import { CONTEXT_OUTPUT_SHARE } from '../../services/rates/energy/estimate-block.ts'
import { FACTORS, type RooflineFactors } from '../../services/rates/energy/factors.ts'
import {
  fixedSeconds,
  inputSeconds,
  marginalSeconds,
  outputSeconds,
  rooflineTerms,
  type Deployment
} from '../../services/rates/energy/roofline.ts'
import { minimise } from './least-squares.ts'
import type { ReferenceRow } from '../../services/rates/energy/reference-rows.ts'

/**
 * Fits the two rooflines, energy and latency, to reference rows. Positive coefficients are fitted
 * in logarithms, factors of GPU, precision and software as logarithms already. A weak ridge holds
 * what the rows do not tell (a GPU that is held out, prefill) at its prior.
 */
const POSITIVE = [
  ['memory', 0.6],
  ['expertMemory', 0.8],
  ['arithmetic', 1.2],
  ['keyValue', 0.8],
  ['state', 1],
  ['stepMicros', 50],
  ['communicationMicros', 30],
  ['routingMicros', 20],
  ['tokenMicros', 30],
  ['prefill', 1.6]
] as const
// Research baseline on the same rows; where rows are silent the factor stays here.
const GPU_PRIOR = [
  ['B200', 0.15],
  ['A100-40GB', -0.13],
  ['GH200', -0.2],
  ['L4', 0.4]
] as const
const PRECISION_PRIOR = [
  ['fp8', 0],
  ['mxfp4', 0]
] as const
const ENGINE_PRIOR = [
  ['engine2024', 0.2],
  ['engine2024Mixture', 0.3]
] as const

/** Chosen once from 0.02 to 0.2 by held-out error; the result is flat there. */
const RIDGE_PER_ROOT_ROW = 0.005
/** Rows of an architecture count as count^-0.25, so that one with 94 rows does not drown the rest. */
const ARCHITECTURE_WEIGHT_POWER = -0.25

export type FitTarget = 'energy' | 'latency'

const START = [
  ...POSITIVE.map(([, prior]) => Math.log(prior)),
  ...[...GPU_PRIOR, ...PRECISION_PRIOR, ...ENGINE_PRIOR].map(([, prior]) => prior)
]

/** Turns a parameter vector into factors. Four-bit and eight-bit integers borrow their float kin. */
export const factorsOf = (parameters: readonly number[]): RooflineFactors => {
  const positive = Object.fromEntries(
    POSITIVE.map(([name], index) => [name, Math.exp(parameters[index] ?? 0)])
  ) as Record<(typeof POSITIVE)[number][0], number>
  const rest = parameters.slice(POSITIVE.length)
  const gpu = Object.fromEntries(GPU_PRIOR.map(([name], index) => [name, rest[index] ?? 0]))
  const [fp8 = 0, mxfp4 = 0] = rest.slice(GPU_PRIOR.length)
  const [engine2024 = 0, engine2024Mixture = 0] = rest.slice(
    GPU_PRIOR.length + PRECISION_PRIOR.length
  )
  return {
    ...positive,
    gpu: { H100: 0, ...gpu },
    precision: { bf16: 0, fp32: 0, fp8, int8: fp8, mxfp4, int4: mxfp4 },
    engine2024,
    engine2024Mixture
  }
}

/** A reference row as a deployment: software year known, structure from the model table. */
export const deploymentOf = (row: ReferenceRow): Deployment =>
  resolveDeployment(
    {
      model: row.model,
      totalB: row.totalB,
      activeB: row.activeB,
      gpu: row.gpu,
      gpuCount: row.gpuCount,
      precision: row.precision,
      engineYear: row.engineYear
    },
    FACTORS
  ).deployment

/** Fits one roofline; rows without a latency are left out of the latency fit. */
export const fitRoofline = (rows: readonly ReferenceRow[], target: FitTarget): RooflineFactors => {
  const used = rows.filter((row) => target === 'energy' || row.interTokenMs !== null)
  const designs = used.map((row) => designOf(row, target))
  const parameters = minimise({
    start: START,
    residuals: (candidate) => {
      const positive = candidate.slice(0, POSITIVE.length).map((value) => Math.exp(value))
      return Float64Array.from(designs, (design) => residual(design, positive, candidate))
    },
    weights: rowWeights(used),
    ridge: RIDGE_PER_ROOT_ROW * Math.sqrt(used.length)
  })
  return factorsOf(parameters)
}

/**
 * What a row tells of each parameter. A prediction is a sum that is linear in the positive
 * coefficients, times a factor whose logarithm is linear in the others; so both are found by
 * predicting with one parameter at a time.
 */
type Design = { parts: number[]; logs: number[]; logMeasured: number }

const DESIGNS: Readonly<Record<FitTarget, WeakMap<ReferenceRow, Design>>> = {
  energy: new WeakMap(),
  latency: new WeakMap()
}

const designOf = (row: ReferenceRow, target: FitTarget): Design => {
  const known = DESIGNS[target].get(row)
  if (known !== undefined) return known
  const deployment = deploymentOf(row)
  const predict = target === 'energy' ? joulesPerToken : stepMilliseconds
  const at = (parameters: readonly number[]): number =>
    predict(row, deployment, factorsOf(parameters))
  const none = POSITIVE.map(() => -Infinity)
  const all = POSITIVE.map(() => 0)
  const rest = START.slice(POSITIVE.length).map(() => 0)
  const whole = at([...all, ...rest])
  const design = {
    parts: POSITIVE.map((_, index) => at([...none.with(index, 0), ...rest])),
    logs: rest.map((_, index) => Math.log(at([...all, ...rest.with(index, 1)]) / whole)),
    logMeasured: Math.log((target === 'energy' ? row.joulesPerOutputToken : row.interTokenMs) ?? 1)
  }
  DESIGNS[target].set(row, design)
  return design
}

const residual = (
  { parts, logs, logMeasured }: Design,
  positive: readonly number[],
  parameters: readonly number[]
): number => {
  let sum = 0
  for (let index = 0; index < parts.length; index += 1) sum += positive[index]! * parts[index]!
  let log = Math.log(sum) - logMeasured
  for (let index = 0; index < logs.length; index += 1) {
    log += logs[index]! * parameters[parts.length + index]!
  }
  return log
}

const contextOf = (row: ReferenceRow): number =>
  row.inputTokens + CONTEXT_OUTPUT_SHARE * row.outputTokens

const joulesPerToken = (
  row: ReferenceRow,
  deployment: Deployment,
  factors: RooflineFactors
): number => {
  const terms = rooflineTerms(deployment, factors)
  const input = (inputSeconds(terms, row.inputTokens) * row.inputTokens) / row.outputTokens
  const output = outputSeconds(terms, row.concurrency, contextOf(row))
  return deployment.gpu.powerWattsMax * (output + input)
}

const stepMilliseconds = (
  row: ReferenceRow,
  deployment: Deployment,
  factors: RooflineFactors
): number => {
  const terms = rooflineTerms(deployment, factors)
  const batch = Math.max(1, row.concurrency)
  const seconds = fixedSeconds(terms, batch) + batch * marginalSeconds(terms, contextOf(row))
  return (seconds / deployment.gpuCount) * 1000
}

const rowWeights = (rows: readonly ReferenceRow[]): Float64Array => {
  const counts = new Map<string, number>()
  for (const { architecture } of rows) {
    counts.set(architecture, (counts.get(architecture) ?? 0) + 1)
  }
  const weights = Float64Array.from(
    rows,
    ({ architecture }) => (counts.get(architecture) ?? 1) ** ARCHITECTURE_WEIGHT_POWER
  )
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length
  return weights.map((weight) => weight / mean)
}
