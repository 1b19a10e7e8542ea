import type { Draft } from '../define.ts'
import { VICTIM_SHARE_MIN } from './attribution.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlText, sqlTime } from '../sql.ts'
import type { Cause } from './cause.ts'
import { iso, round } from './finding.ts'
import type { Harm } from './harm.ts'
import type { Pool } from './pool.ts'
import { meanOver, RING_MINUTES } from './tenant-ring.ts'

/** The finding about a shared cache: tokens that it usually serves are no longer served. */

const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1_440
/** Minutes of "before" that the finding shows. */
const BEFORE_MINUTES = 30

type PoolCollapse = {
  pool: Pool
  cause: Cause
  harm: Harm
  startMinute: number
  nowMinute: number
}

export const poolDraft = (collapse: PoolCollapse): Draft => {
  const { pool, cause, harm, startMinute, nowMinute } = collapse
  const oldest = nowMinute - RING_MINUTES + 1
  const from = Math.max(oldest, startMinute - BEFORE_MINUTES, pool.firstMinute)
  const start = Math.max(startMinute, oldest)
  const span = { from, start, to: nowMinute + 1 }
  return {
    fingerprint: fingerprint(
      'cache-thrash',
      'pool',
      pool.name,
      Math.floor(startMinute / MINUTES_PER_DAY)
    ),
    status: 'firing',
    severity: 'critical',
    tenant: null,
    scope: pool.assumed ? { level: 'provider' } : { level: 'pool', cache_pool: pool.name },
    axis: cause.axis,
    started_at: iso(startMinute * MINUTE_MS),
    detected_at: iso((nowMinute + 1) * MINUTE_MS),
    summary: summary(collapse),
    before: { ...counts(pool, from, start), reuse_served_pct: served(harm.before, 1) },
    after: {
      ...counts(pool, start, nowMinute + 1),
      reuse_served_pct: served(harm.after, 1),
      reuse_drop_standard_errors: round(harm.z, 1),
      mechanism: cause.mechanism,
      mechanism_confidence: cause.confidence
    },
    cost_usd_per_hour: null,
    culprit: cause.culprit,
    victims: cause.victims,
    contributors: cause.contributors,
    query: reproduce(pool, span)
  }
}

/** Percent of what is usual; a minute may serve more than that. */
const served = (share: number, digits: number): number => round(100 * Math.min(1, share), digits)

const summary = ({ pool, cause, harm }: PoolCollapse): string => {
  const lost = `${served(harm.before, 0)} to ${served(harm.after, 0)} %`
  const cache = pool.assumed ? `the cache of ${pool.name}` : `cache ${pool.name}`
  return `Of tokens that ${cache} usually serves, the others get ${lost}: ${cause.sentence}; ${cause.victims.length} tenants lose more than ${100 * VICTIM_SHARE_MIN} % of their input`
}

const counts = (pool: Pool, from: number, to: number) => {
  let [events, input, cached] = [0, 0, 0]
  for (const slot of pool.tenants.values()) {
    const mean = meanOver(pool.ring, slot, from, to)
    events += mean.events * (to - from)
    input += mean.input * (to - from)
    cached += mean.cached * (to - from)
  }
  return {
    hit_rate_pct: input > 0 ? round((100 * cached) / input, 1) : null,
    events: Math.round(events),
    from: iso(from * MINUTE_MS),
    to: iso(to * MINUTE_MS)
  }
}

const reproduce = (pool: Pool, { from, start, to }: Record<'from' | 'start' | 'to', number>) => {
  const provider = pool.name.slice('provider:'.length)
  const filters = [
    ...(pool.assumed
      ? ['cache_pool IS NULL', `coalesce(provider, '') = ${sqlText(provider)}`]
      : [sqlEquals('cache_pool', pool.name)]),
    `window_start >= ${sqlTime(from * MINUTE_MS)}`,
    `window_start < ${sqlTime(to * MINUTE_MS)}`
  ]
  return `SELECT window_start >= ${sqlTime(start * MINUTE_MS)} AS after,
  100.0 * sum(cache_h) / sum(cache_w) AS hit_rate_pct, sum(cache_n) AS events
FROM windows WHERE ${filters.join(' AND ')} AND cache_n > 0 GROUP BY 1 ORDER BY 1`
}
