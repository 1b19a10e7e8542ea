import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { iso, scopeOf } from './finding.ts'
import type { SeriesName } from './series.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** What the query looks back on: an hour shows when reports stopped. */
const LOOK_BACK_MS = 60 * MINUTE_MS

/** The finding about a tenant whose events stopped saying what the cache served. */
export const silenceDraft = (name: SeriesName, ms: number): Draft => {
  const until = ms + MINUTE_MS
  const filters = [
    sqlEquals('tenant', name.tenant),
    `window_start >= ${sqlTime(until - LOOK_BACK_MS)}`,
    `window_start < ${sqlTime(until)}`
  ]
  return {
    fingerprint: fingerprint('cache-thrash', 'silence', name.tenant, Math.floor(ms / DAY_MS)),
    status: 'firing',
    severity: 'info',
    tenant: name.tenant,
    scope: { ...scopeOf(name), level: 'telemetry' },
    axis: 'provider',
    started_at: iso(ms),
    detected_at: iso(until),
    summary: `Cache reads of ${name.tenant} are no longer reported (null, not 0): its hit rate is unknown, and a collapse would not be seen`,
    before: { cache_reads_reported: true },
    after: {
      cache_reads_reported: false,
      mechanism: 'reporting-gap',
      mechanism_confidence: 'high'
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: [],
    query: `SELECT window_start, sum(cache_n) AS reported, sum(cache_null_n) AS unreported
FROM windows WHERE ${filters.join(' AND ')} GROUP BY 1 ORDER BY 1`
  }
}
