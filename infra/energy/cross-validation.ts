import { mayRunOldSoftware } from '../../services/rates/energy/deployment.ts'
import { estimateEnergy, type EnergyRequest } from '../../services/rates/energy/estimate.ts'
import type {
  EnergyFactors,
  HalfWidth,
  KnowledgeName,
  RooflineFactors
} from '../../services/rates/energy/factors.ts'
import { deploymentOf, fitRoofline } from './fit.ts'
import type { ReferenceRow } from '../../services/rates/energy/reference-rows.ts'
import { scoreOf, weightedQuantile } from './score.ts'

/**
 * Held-out evaluation, whole architectures at a time, of the very function that ships. Everything
 * that is learned (coefficients, the weight of a latency, the error of the latency model, interval
 * widths) is learned inside the training side of each fold; widths and weights from inner folds.
 */
export type Prediction = {
  row: ReferenceRow
  knowledge: KnowledgeName
  low: number
  mid: number
  high: number
  /** ln(measured / estimated). */
  error: number
}

/** What the estimator is told of a reference row. */
export type View = {
  knowledge: KnowledgeName
  /** Whether the year of the serving software is told, too. */
  engineKnown: boolean
  /** Whether the model's name is told, or parameter counts alone. */
  nameKnown: boolean
}

export const KNOWLEDGE: readonly KnowledgeName[] = [
  'batch_and_latency',
  'batch',
  'latency',
  'neither'
]

// Not fitted: the reference sweeps say what was tried, not how busy replicas are. 64 is what published
// estimates assume; a spread of a factor of four (1.4) covers 8 to 500 at 90 %.
const CONCURRENCY_PRIOR = { median: 64, sigma: 1.4 }
// Grids for what is chosen inside the training side; the cost is flat between neighbours.
const LATENCY_WEIGHTS = [0.2, 0.3, 0.4, 0.5, 0.6] as const
const LATENCY_SIGMAS = [0.2, 0.26, 0.32, 0.4] as const
const SPREAD_SCALES = [0.25, 0.4, 0.55, 0.7, 0.85, 1, 1.25, 1.5, 2] as const
/** Aimed at inside the training folds, a little above 80 % since new architectures scatter more. */
const COVERAGE_AIM = 0.83
/** An architecture counts as its rows to this power when interval widths are taken. */
const QUANTILE_WEIGHT_POWER = -0.5
// Five groups of architectures keep four fifths of the rows in each inner fit.
const INNER_FOLDS = 5
// Repeated runs of one configuration differ by about 5 %; no interval may claim less.
const HALF_WIDTH_MIN = 0.05

export const requestOf = (row: ReferenceRow, view: View): EnergyRequest => {
  const batch = view.knowledge === 'batch' || view.knowledge === 'batch_and_latency'
  const latency = view.knowledge === 'latency' || view.knowledge === 'batch_and_latency'
  return {
    model: view.nameKnown ? row.model : null,
    totalB: row.totalB,
    activeB: row.activeB,
    gpu: row.gpu,
    gpuCount: row.gpuCount,
    precision: row.precision,
    engineYear: view.engineKnown ? row.engineYear : null,
    concurrency: batch ? row.concurrency : null,
    interTokenMs: latency ? row.interTokenMs : null,
    inUncached: row.inputTokens,
    inCacheRead: 0,
    out: row.outputTokens
  }
}

export const predict = (
  rows: readonly ReferenceRow[],
  view: View,
  factors: EnergyFactors
): Prediction[] =>
  rows
    .filter((row) => row.interTokenMs !== null || !view.knowledge.includes('latency'))
    .map((row) => {
      const { joules } = estimateEnergy(requestOf(row, view), factors)
      const measured = row.joulesPerOutputToken * row.outputTokens
      return { row, knowledge: view.knowledge, ...joules, error: Math.log(measured / joules.mid) }
    })

type Rooflines = { energy: RooflineFactors; latency: RooflineFactors }

const fitBoth = (rows: readonly ReferenceRow[]): Rooflines => ({
  energy: fitRoofline(rows, 'energy'),
  latency: fitRoofline(rows, 'latency')
})

const unit: HalfWidth = { below: 1, above: 1 }
const unitInterval = { dense: unit, mixture: unit }

const assemble = (rooflines: Rooflines, rows: readonly ReferenceRow[]): EnergyFactors => ({
  version: 'candidate',
  provenance: {},
  ...rooflines,
  latencyWeight: 0.4,
  concurrency: { ...CONCURRENCY_PRIOR, latencySigma: 0.26, spreadScale: 0 },
  engine2024Share: engineShare(rows),
  interval: {
    batch_and_latency: unitInterval,
    batch: unitInterval,
    latency: unitInterval,
    neither: unitInterval
  }
})

// Share of rows on 2024 software among rows of models of that age, not counting newer GPUs.
const engineShare = (rows: readonly ReferenceRow[]): number => {
  const aged = rows.filter((row) => {
    const { model, gpu } = deploymentOf(row)
    return mayRunOldSoftware(model, gpu)
  })
  const old = aged.filter(({ engineYear }) => engineYear === 2024)
  return aged.length === 0 ? 0.5 : Math.round((old.length / aged.length) * 1000) / 1000
}

const foldsOf = (architectures: readonly string[], count: number): string[][] =>
  Array.from({ length: count }, (_, fold) =>
    architectures.filter((_name, index) => index % count === fold)
  ).filter((fold) => fold.length > 0)

const architecturesOf = (rows: readonly ReferenceRow[]): string[] =>
  [...new Set(rows.map(({ architecture }) => architecture))].sort()

type HeldOut = { factors: EnergyFactors; rows: ReferenceRow[] }

const holdOut = (rows: readonly ReferenceRow[], folds: readonly string[][]): HeldOut[] =>
  folds.map((fold) => {
    const training = rows.filter(({ architecture }) => !fold.includes(architecture))
    return {
      factors: assemble(fitBoth(training), training),
      rows: rows.filter(({ architecture }) => fold.includes(architecture))
    }
  })

const told = (knowledge: KnowledgeName): View => ({ knowledge, engineKnown: true, nameKnown: true })

const errorsWith = (
  heldOut: readonly HeldOut[],
  knowledge: KnowledgeName,
  change: (factors: EnergyFactors) => EnergyFactors
): Prediction[] =>
  heldOut.flatMap(({ rows, factors }) => predict(rows, told(knowledge), change(factors)))

const meanSquare = (predictions: readonly Prediction[]): number =>
  predictions.reduce((sum, { error }) => sum + Math.min(error ** 2, 1), 0) / predictions.length

const best = <Value>(values: readonly Value[], costOf: (value: Value) => number): Value => {
  const costs = values.map((value) => costOf(value))
  return values[costs.indexOf(Math.min(...costs))] as Value
}

/**
 * Learns a whole factor set from rows: coefficients from all of them, the rest from held-out errors
 * inside them.
 */
export const learnFactors = (rows: readonly ReferenceRow[]): EnergyFactors => {
  const inner = holdOut(rows, foldsOf(architecturesOf(rows), INNER_FOLDS))
  const latencyWeight = best(LATENCY_WEIGHTS, (weight) =>
    meanSquare(errorsWith(inner, 'batch_and_latency', (f) => ({ ...f, latencyWeight: weight })))
  )
  const withSigma = (f: EnergyFactors, latencySigma: number): EnergyFactors => ({
    ...f,
    concurrency: { ...f.concurrency, latencySigma }
  })
  const latencySigma = best(LATENCY_SIGMAS, (sigma) =>
    meanSquare(errorsWith(inner, 'latency', (f) => withSigma(f, sigma)))
  )
  const chosen = (f: EnergyFactors): EnergyFactors => ({
    ...withSigma(f, latencySigma),
    latencyWeight
  })
  const knownFrom = (knowledge: KnowledgeName) => {
    const errors = errorsWith(inner, knowledge, chosen)
    return { dense: widths(errors, false), mixture: widths(errors, true) }
  }
  const batch = knownFrom('batch')
  const interval = {
    batch_and_latency: knownFrom('batch_and_latency'),
    batch,
    // The batch is blurred by the posterior, which is added per call; the rest errs alike.
    latency: batch,
    neither: knownFrom('neither')
  }
  const spreadScale = best(SPREAD_SCALES, (scale) => {
    const spread = errorsWith(inner, 'latency', (f) => ({
      ...chosen(f),
      interval,
      concurrency: { ...chosen(f).concurrency, spreadScale: scale }
    }))
    return Math.abs((scoreOf(spread).coverage ?? 0) - COVERAGE_AIM)
  })
  const learned = chosen(assemble(fitBoth(rows), rows))
  return { ...learned, interval, concurrency: { ...learned.concurrency, spreadScale } }
}

const widths = (predictions: readonly Prediction[], mixture: boolean): HalfWidth => {
  const group = predictions.filter(({ row }) => row.activeB < row.totalB * 0.99 === mixture)
  const counts = new Map<string, number>()
  for (const { row } of group) {
    counts.set(row.architecture, (counts.get(row.architecture) ?? 0) + 1)
  }
  const weighted = group.map(({ row, error }) => ({
    value: error,
    weight: (counts.get(row.architecture) ?? 1) ** QUANTILE_WEIGHT_POWER
  }))
  const tail = (1 - COVERAGE_AIM) / 2
  const rounded = (value: number): number => Math.round(Math.max(HALF_WIDTH_MIN, value) * 1e4) / 1e4
  return {
    below: rounded(-weightedQuantile(weighted, tail)),
    above: rounded(weightedQuantile(weighted, 1 - tail))
  }
}

/** Leaves out one architecture at a time; factors come from `learnFactors` on all others. */
export const leaveArchitecturesOut = (
  rows: readonly ReferenceRow[],
  views: readonly View[]
): Prediction[][] => {
  const folds = architecturesOf(rows).map((architecture) => {
    const training = rows.filter((row) => row.architecture !== architecture)
    const tested = rows.filter((row) => row.architecture === architecture)
    const factors = learnFactors(training)
    return views.map((view) => predict(tested, view, factors))
  })
  return views.map((_, index) => folds.flatMap((fold) => fold[index] ?? []))
}
