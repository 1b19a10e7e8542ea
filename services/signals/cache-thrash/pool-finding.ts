import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { rateOf, type RateChange } from '../statistics/rate-change.ts'
import type { Cause } from './cause.ts'
import { iso, round } from './finding.ts'
import type { Pool } from './pool.ts'

/** The finding about a shared cache: tokens that it had seen are no longer served. */

const DAY_MS = 86_400_000

type PoolCollapse = { pool: Pool; change: RateChange; cause: Cause; detectedMs: number }

export const poolDraft = ({ pool, change, cause, detectedMs }: PoolCollapse): Draft => {
  const { before, after } = change
  const day = Math.floor(before.toMs / DAY_MS)
  const reuse = (stretch: RateChange['before']) => ({
    reuse_served_pct: round(100 * rateOf(stretch), 1),
    prompts: Math.round(stretch.n),
    reusable_tokens: Math.round(stretch.w),
    served_tokens: Math.round(stretch.h),
    from: iso(stretch.fromMs),
    to: iso(stretch.toMs)
  })
  return {
    fingerprint: fingerprint('cache-thrash', 'pool', pool.name, day),
    status: 'firing',
    severity: 'critical',
    tenant: null,
    scope: { level: 'pool', ...(pool.assumed ? {} : { cache_pool: pool.name }) },
    axis: cause.axis,
    started_at: iso(before.toMs),
    detected_at: iso(detectedMs),
    summary: `Cache ${pool.name} served ${pct(after)} % of the tokens that it had seen, after ${pct(before)} %: ${cause.sentence}; ${cause.victims.length} tenants lose`,
    before: reuse(before),
    after: {
      ...reuse(after),
      mechanism: cause.mechanism,
      mechanism_confidence: cause.confidence
    },
    cost_usd_per_hour: null,
    culprit: cause.culprit,
    victims: cause.victims,
    contributors: cause.contributors,
    query: reproduce(pool, change)
  }
}

const pct = (stretch: RateChange['before']): string => (100 * rateOf(stretch)).toFixed(0)

const reproduce = (pool: Pool, { before, after }: RateChange): string => {
  const where = pool.assumed
    ? [
        'cache_pool IS NULL',
        `coalesce(provider, '') = ${sqlEquals('', pool.name.slice('provider:'.length)).slice(3)}`
      ]
    : [sqlEquals('cache_pool', pool.name)]
  const filters = [
    ...where,
    `window_start >= ${sqlTime(before.fromMs)}`,
    `window_start < ${sqlTime(after.toMs)}`
  ]
  return `SELECT tenant, window_start >= ${sqlTime(before.toMs)} AS after,
  100.0 * sum(cache_h) / sum(cache_w) AS hit_rate_pct, sum(cache_n) AS events,
  sum(cache_w) AS input_tokens, sum(cache_w) - sum(cache_h) AS missed_tokens
FROM windows WHERE ${filters.join(' AND ')} AND cache_n > 0 GROUP BY ALL ORDER BY 1, 2`
}
