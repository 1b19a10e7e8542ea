import type { AXES, Finding } from '../../../schemas/finding.ts'

/** Why a hit rate collapsed, as far as usage fields can tell (mechanism) and who did it. */
export const MECHANISMS = [
  'own-prefix-broke-early',
  'own-prefix-broke-mid-prompt',
  'own-volume-grew',
  'evicted-by-neighbour',
  'ttl-lapse',
  'caching-off',
  'model-switch',
  'provider-regression',
  'unknown'
] as const
export type Mechanism = (typeof MECHANISMS)[number]

export type Cause = {
  mechanism: Mechanism
  /** high: told by prefix ladders; medium: by counts; low: a guess that says so. */
  confidence: 'high' | 'medium' | 'low'
  axis: (typeof AXES)[number]
  sentence: string
  culprit: Finding['culprit']
  victims: Finding['victims']
  contributors: Finding['contributors']
}
