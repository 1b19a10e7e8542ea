import { fixedSeconds, type RooflineTerms } from './roofline.ts'

/**
 * Figures of a deployment as one array, as the arithmetic of blocks reads them: per call, objects in
 * objects cost as much as its logarithms. Each name is a place in it.
 */
export const AT = {
  // Roofline in joules of all GPUs, and of a step in milliseconds; what they have in common once.
  step: 0,
  experts: 1,
  token: 2,
  context: 3,
  window: 4,
  input: 5,
  attention: 6,
  stepMs: 7,
  expertsMs: 8,
  tokenMs: 9,
  contextMs: 10,
  windowMs: 11,
  logMiss: 12,
  windowTokens: 13,
  /**
   * What is held of the batch before a latency is seen; of its step the part that it shares, ms, by
   * how much a batch e times as large lengthens that, and the part of each request, J.
   */
  median: 14,
  logMedian: 15,
  medianFixedMs: 16,
  medianReadMs: 17,
  medianShare: 18,
  priorPrecision: 19,
  dataPrecision: 20,
  /** Square of what doubt about ln(batch) adds to the interval. */
  blur2: 21,
  latencyWeight: 22,
  /** 1 where a latency tells the batch. */
  latencyUsable: 23,
  /** Four each, one per knowledge: squares of half-widths, and the tier's place in `TIERS`. */
  below2: 24,
  above2: 28,
  tierCode: 32
} as const
const LENGTH = 36

/** What is known of a call beside its deployment: places of the fours above. */
export const KNOWLEDGE = ['batch_and_latency', 'batch', 'latency', 'neither'] as const

/** What an estimate holds of its batch and interval, whatever its terms. */
export type DeploymentNumbers = {
  joules: RooflineTerms
  stepMs: RooflineTerms
  concurrency: { median: number; sigma: number; latencySigma: number }
  blur: number
  latencyWeight: number
  latencyUsable: boolean
  by: readonly { below2: number; above2: number; tierCode: number }[]
}

export const deploymentNumbers = (figures: DeploymentNumbers): Float64Array => {
  const { joules, stepMs, concurrency, by } = figures
  const { median, sigma, latencySigma } = concurrency
  const numbers = new Float64Array(LENGTH)
  const set = (values: Readonly<Partial<Record<keyof typeof AT, number>>>): void => {
    for (const [name, value] of Object.entries(values)) numbers[AT[name as keyof typeof AT]] = value
  }
  const { step, experts, token, context, window, input, attention, logMiss, windowTokens } = joules
  set({ step, experts, token, context, window, input, attention, logMiss, windowTokens })
  set({ stepMs: stepMs.step, expertsMs: stepMs.experts, tokenMs: stepMs.token })
  set({ contextMs: stepMs.context, windowMs: stepMs.window })
  const medianFixedMs = fixedSeconds(stepMs, median)
  const missedMs = stepMs.step + stepMs.experts - medianFixedMs
  set({ median, logMedian: Math.log(median), medianFixedMs })
  set({ medianReadMs: -median * missedMs * logMiss })
  set({ medianShare: fixedSeconds(joules, median) / median })
  set({ priorPrecision: sigma ** -2, dataPrecision: latencySigma ** -2 })
  set({ blur2: figures.blur ** 2, latencyWeight: figures.latencyWeight })
  set({ latencyUsable: figures.latencyUsable ? 1 : 0 })
  by.forEach(({ below2, above2, tierCode }, at) => {
    numbers[AT.below2 + at] = below2
    numbers[AT.above2 + at] = above2
    numbers[AT.tierCode + at] = tierCode
  })
  return numbers
}

/** Something that a model serves, or null: a step that none does. */
export type Numbered = { numbers: Float64Array } | null

/** Deployments that a sheet has room for at first; it doubles when full. */
const SHEET_DEPLOYMENTS = 16

/**
 * Figures of many deployments one after the other: a block of calls reads one array, however many
 * deployments served them. The first place says nothing, for calls that none served.
 */
export class DeploymentSheet {
  numbers = new Float64Array(LENGTH * SHEET_DEPLOYMENTS).fill(Number.NaN, 0, LENGTH)
  #of: readonly Numbered[] = []
  #taken = 0

  /** Takes deployments; of a list that it has seen, those that were added since. */
  take(deployments: readonly Numbered[]): Float64Array {
    if (this.#of !== deployments) {
      this.#of = deployments
      this.#taken = 0
    }
    for (; this.#taken < deployments.length; this.#taken += 1) {
      const at = (this.#taken + 1) * LENGTH
      if (at === this.numbers.length) this.#grow()
      const figures = deployments[this.#taken]
      if (figures) this.numbers.set(figures.numbers, at)
      else this.numbers.fill(Number.NaN, at, at + LENGTH)
    }
    return this.numbers
  }

  /** Where the figures of a deployment begin; 0 for a number that is none's. */
  placeOf(deployment: number): number {
    return deployment >= 0 && deployment < this.#taken ? (deployment + 1) * LENGTH : 0
  }

  #grow(): void {
    const numbers = new Float64Array(this.numbers.length * 2)
    numbers.set(this.numbers)
    this.numbers = numbers
  }
}
