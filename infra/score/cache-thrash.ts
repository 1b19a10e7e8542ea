import { CULPRIT_HEADER, scoreCulprits, scoreQuietNights, QUIET_HEADER } from './culprit-score.ts'
import { HIT_RATE_HEADER, scoreHitRate } from './hit-rate-score.ts'

/**
 * Operating figures of cache-thrash as Markdown, on worlds with known truth. Constants were tuned
 * on other seeds: hit rates below 10, culprits below 1000.
 */

export type ScoreSize = {
  tenants: number
  days: number
  incidents: number
  nights: number
}

/** Sections in order; each comes when it is worked out. */
export function* scoreCacheThrash(size: ScoreSize): Generator<string> {
  const { tenants, days } = size
  for (const mood of ['noisy', 'mild'] as const) {
    yield `## Hit rates, ${mood} world: ${tenants} tenants × ${days} days`
    yield [...HIT_RATE_HEADER, ...scoreHitRate({ mood, tenants, days, seed: 10 })].join('\n')
  }
  yield '## Culprits and victims in a shared cache'
  const block = { firstSeed: 1000, incidents: size.incidents }
  yield [...CULPRIT_HEADER, ...scoreCulprits(block)].join('\n')
  yield '## Two culprits at once'
  yield [...CULPRIT_HEADER, ...scoreCulprits({ ...block, firstSeed: 2000 }, 2)].join('\n')
  yield '## Nights without a culprit'
  const nights = { firstSeed: 3000, incidents: size.nights }
  yield [...QUIET_HEADER, ...scoreQuietNights(nights)].join('\n')
}
