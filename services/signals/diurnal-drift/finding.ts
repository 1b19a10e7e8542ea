import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlTime } from '../sql.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import { round } from '../statistics/round.ts'
import type { Words } from '../statistics/series-slots.ts'
import { hoursText, quietHours } from './clock.ts'
import { stepMs } from './latency-step.ts'
import { casesSql, measureOf } from './measure.ts'
import type { Wave } from './wave.ts'

/** Turns a change beyond the clock, or a clock that quality follows, into a finding. */

export type Change = {
  words: Words
  before: RiseStretch
  after: RiseStretch
  /** Share that the clock explains now, and the mean over all hours. */
  clock: number
  mean: number
  shares: readonly number[]
  step: number | null
  detectedMs: number
  evidenceNats: number
  /** Open changes of the same measure elsewhere: other models of the tenant, other tenants of the model. */
  alongside: readonly Draft[]
}

export const iso = (ms: number): string => new Date(ms).toISOString()
const percent = (share: number): number => round(100 * share, 1)

const figures = (stretch: RiseStretch): Draft['before'] => ({
  bad_pct: percent(shareOf(stretch)),
  cases: stretch.n,
  bad: round(stretch.k, 3),
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

export const scopeOf = ([, provider, model, what]: Words): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ provider, model, what }).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string'
    )
  )

/** Contributors of one finding: more would not be read. */
const CONTRIBUTORS_MAX = 6

/** Who carries the bad cases beyond the clock's: this series, then those that changed with it. */
const contributorsOf = ({ words, before, after, clock, alongside }: Change) => [
  {
    ...scopeOf(words),
    tenant: words[0] ?? null,
    bad_before_pct: percent(shareOf(before)),
    bad_after_pct: percent(shareOf(after)),
    excess_bad: round(after.k - clock * after.n, 1)
  },
  ...alongside.slice(0, CONTRIBUTORS_MAX - 1).map((draft) => ({
    ...draft.scope,
    tenant: draft.tenant,
    bad_before_pct: draft.before['bad_pct'] ?? null,
    bad_after_pct: draft.after['bad_pct'] ?? null,
    started_at: draft.started_at
  }))
]

const slowMs = (step: number | null): number => (step === null ? 0 : stepMs(step))

export const changeDraft = (change: Change): Draft => {
  const { words, before, after, clock, mean, step } = change
  const measure = measureOf(words)
  const now = shareOf(after)
  return {
    fingerprint: fingerprint('diurnal-drift', 'change', ...words, before.toMs),
    status: 'firing',
    severity: now >= 2 * clock ? 'critical' : 'warning',
    tenant: words[0] ?? null,
    scope: scopeOf(words),
    axis: measure.axis,
    started_at: iso(before.toMs),
    detected_at: iso(change.detectedMs),
    summary: `A change, not the clock: ${percent(now)} % ${measure.says(slowMs(step))} for ${words[0]}${words[2] == null ? '' : ` on ${words[2]}`} since ${iso(before.toMs)}, where these hours have ${percent(clock)} % at worst and the day ${percent(mean)} %`,
    before: figures(before),
    after: {
      ...figures(after),
      cause: 'change',
      usual_at_this_hour_pct: percent(clock),
      usual_over_the_day_pct: percent(mean),
      by_the_clock_points: percent(clock - mean),
      by_the_change_points: percent(now - clock),
      quiet_hours_utc: hoursText(quietHours(change.shares, mean)),
      ...(step === null ? {} : { slower_than_ms: slowMs(step) }),
      evidence_nats: round(change.evidenceNats, 1)
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: contributorsOf(change),
    query: `SELECT window_start >= ${sqlTime(before.toMs)} AS after,
  100.0 * sum(bad) / sum(n) AS bad_pct, sum(n) AS cases, sum(bad) AS bad
FROM (${casesSql(words, { fromMs: before.fromMs, toMs: after.toMs, step })}) GROUP BY 1 ORDER BY 1`
  }
}

const WEEKS_SHOWN_MS = 14 * 86_400_000

/** Which series follow the clock: this one, then those of the same measure that do as well. */
const followersOf = (words: Words, wave: Wave, alongside: readonly Draft[]) => [
  {
    ...scopeOf(words),
    tenant: words[0] ?? null,
    bad_at_quiet_hours_pct: percent(wave.quietShare),
    bad_at_bad_hours_pct: percent(wave.badShare),
    excess_bad_per_day: round(wave.excessPerDay, 1)
  },
  ...alongside.slice(0, CONTRIBUTORS_MAX - 1).map((draft) => ({
    ...draft.scope,
    tenant: draft.tenant,
    bad_at_quiet_hours_pct: draft.before['bad_pct'] ?? null,
    bad_at_bad_hours_pct: draft.after['bad_pct'] ?? null
  }))
]

export const waveDraft = (
  words: Words,
  { wave, ms, alongside }: { wave: Wave; ms: number; alongside: readonly Draft[] }
): Draft => {
  const measure = measureOf(words)
  const [quiet, bad] = [hoursText(wave.quiet), hoursText(wave.bad)]
  const [low, high] = [percent(wave.quietShare), percent(wave.badShare)]
  return {
    fingerprint: fingerprint('diurnal-drift', 'clock', ...words, ms),
    status: 'firing',
    severity: 'info',
    tenant: words[0] ?? null,
    scope: scopeOf(words),
    axis: measure.axis,
    started_at: iso(ms - WEEKS_SHOWN_MS),
    detected_at: iso(ms),
    summary: `The clock, not your change: ${high} % ${measure.says(0)} for ${words[0]}${words[2] == null ? '' : ` on ${words[2]}`} at ${bad} h UTC day after day, ${low} % at ${quiet} h; an evaluation at those hours misleads`,
    before: { bad_pct: low, hours_utc: quiet },
    after: {
      bad_pct: high,
      hours_utc: bad,
      cause: 'clock',
      quiet_hours_utc: quiet,
      evidence_nats: round(wave.nats, 1)
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: followersOf(words, wave, alongside),
    query: `SELECT hour(window_start AT TIME ZONE 'UTC') AS hour_utc,
  100.0 * sum(bad) / sum(n) AS bad_pct, sum(n) AS cases, sum(bad) AS bad
FROM (${casesSql(words, { fromMs: ms - WEEKS_SHOWN_MS, toMs: ms, step: null })}) GROUP BY 1 ORDER BY 1`
  }
}
