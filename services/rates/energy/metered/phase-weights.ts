import { CACHED_SHARE } from '../estimate-block.ts'
import { FACTORS, type EnergyFactors } from '../factors.ts'
import {
  fixedSeconds,
  inputSeconds,
  marginalSeconds,
  rooflineTerms,
  type Deployment,
  type RooflineTerms
} from '../roofline.ts'

/**
 * Relative cost of a request's tokens on one deployment: only ratios matter for a split, so the
 * estimate's coefficients serve, and a fifth of error in one of them costs little.
 */
export type PhaseWeights = {
  /** Per uncached and per cached input token of a prompt of that length. */
  uncached: (inputTokens: number) => number
  cached: (inputTokens: number) => number
  /** Per output token at that context, sharing its step with a batch of that size. */
  output: (contextTokens: number, batch: number) => number
}

export const phaseWeights = (
  deployment: Deployment,
  factors: EnergyFactors = FACTORS
): PhaseWeights => weightsOf(rooflineTerms(deployment, factors.energy))

const weightsOf = (terms: RooflineTerms): PhaseWeights => ({
  uncached: (inputTokens) => inputSeconds(terms, inputTokens),
  cached: (inputTokens) => CACHED_SHARE * inputSeconds(terms, inputTokens),
  output: (contextTokens, batch) =>
    marginalSeconds(terms, contextTokens) + fixedSeconds(terms, batch) / Math.max(1, batch)
})
