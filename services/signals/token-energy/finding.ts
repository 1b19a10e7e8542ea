import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { mixtureNats } from '../statistics/evidence.ts'
import { rateChange, type RateChange, type Stretch } from '../statistics/rate-change.ts'
import { RATE_SHAPE } from '../statistics/rate-record.ts'
import {
  CAUSE_OF,
  explainWays,
  MOVERS,
  type Explanation,
  type HourFactors,
  type Mover,
  type Used
} from './cause.ts'
import { batchOf, WATCHES, type Sums } from './profile.ts'
import { hoursFactor } from './season.ts'
import { usedBy, type State, type Tenant } from './state.ts'

/** Turns a fall of efficiency into the finding that people read. */

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const PICO_PER_USD = 1e12
/** Twice the energy for the same work is critical. */
const CRITICAL_FACTOR = 2

const iso = (ms: number): string => new Date(ms).toISOString()
const round = (value: number, digits: number): number =>
  Math.round(value * 10 ** digits) / 10 ** digits

export type Fallen = { name: string; tenant: Tenant; watch: number; ms: number }

/** The finding, or null when the extra energy is below the floor. */
export const openDraft = (state: State, { name, tenant, watch, ms }: Fallen): Draft | null => {
  const slot = tenant.watches[watch]!
  const change = rateChange(state.rates, slot)
  const { before, after } = change
  const factor = spentPerExpected(after) / spentPerExpected(before)
  const hours = (after.toMs - after.fromMs) / HOUR_MS
  const extra = (after.costPico * (1 - 1 / factor)) / hours
  if (extra < state.settings.extraJoulesPerHourMin) return null
  const used = usedBy(state, tenant, watch)
  const explanation =
    WATCHES[watch] === 'tier'
      ? tierMoved(factor)
      : explainWays(used, factor, hoursOf(state, slot, after))
  // The hours of the day are known of the mix that was: on another one they say nothing by themselves.
  if (explanation.cause === null && isTierOpen(tenant)) return null
  const nats = mixtureNats(state.rates.doubles, slot * RATE_SHAPE.doubles)
  return {
    fingerprint: fingerprint(
      'token-energy',
      name,
      WATCHES[watch] ?? '',
      Math.floor(after.fromMs / DAY_MS)
    ),
    status: 'firing',
    severity: factor >= CRITICAL_FACTOR ? 'critical' : 'warning',
    tenant: name,
    scope: { level: 'tenant' },
    axis: explanation.cause === null ? null : AXIS_OF[explanation.cause],
    started_at: iso(after.fromMs),
    detected_at: iso(ms + MINUTE_MS),
    summary: summary(name, { factor, extra, explanation, change }),
    before: { ...stretchFigures(before), ...profileFigures(used, 'usual') },
    after: {
      ...stretchFigures(after),
      ...profileFigures(used, 'recent'),
      energy_factor: round(factor, 3),
      extra_joules_per_hour: Math.round(extra),
      cause: explanation.cause === null ? 'unknown' : CAUSE_OF[explanation.cause],
      ...factorFigures(explanation),
      evidence_nats: round(nats, 1)
    },
    cost_usd_per_hour: extraCost(used, change),
    culprit: null,
    victims: [],
    contributors: contributors(used),
    query: reproduce(name, change)
  }
}

const isTierOpen = ({ open }: Tenant): boolean => open[WATCHES.indexOf('tier')] !== null

const hoursOf = ({ usual }: State, slot: number, { fromMs, toMs }: Stretch): HourFactors => ({
  perBatch: hoursFactor(usual, slot, ['out_with_batch', 'out_per_batch'], { fromMs, toMs }),
  interToken: hoursFactor(usual, slot, ['decode_tokens', 'decode_ms'], { fromMs, toMs })
})

const tierMoved = (factor: number): Explanation => ({
  factors: { tier: factor, batch: 1, cache: 1 },
  cause: 'tier'
})

const AXIS_OF: Readonly<Record<Mover, Draft['axis']>> = {
  tier: 'model',
  batch: 'provider',
  cache: 'prompt'
}

/** In a stretch w are usual joules for its work, and what is cost elsewhere is joules spent. */
const spentPerExpected = ({ w, costPico: spent }: Stretch): number => spent / w

const stretchFigures = (stretch: Stretch) => ({
  requests: stretch.n,
  joules: Math.round(stretch.costPico),
  joules_usual_for_this_work: Math.round(stretch.w),
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

const profileFigures = (used: readonly Used[], side: 'usual' | 'recent') => {
  const sum = (of: (sums: Sums) => number): number =>
    used.reduce((total, one) => total + of(one[side]), 0)
  const input = sum(({ cached, uncached }) => cached + uncached)
  const perBatch = sum((sums) => sums.out_per_batch)
  return {
    cached_pct: input > 0 ? round((100 * sum(({ cached }) => cached)) / input, 1) : null,
    concurrency: perBatch > 0 ? round(sum((sums) => sums.out_with_batch) / perBatch, 1) : null
  }
}

const factorFigures = ({ factors }: Explanation) =>
  Object.fromEntries(MOVERS.map((mover) => [`${mover}_factor`, round(factors[mover], 3)]))

/** Each deployment's share of calls before and after, most moved first. */
const contributors = (used: readonly Used[]): Draft['contributors'] => {
  const calls = (side: 'usual' | 'recent'): number =>
    Math.max(
      1e-9,
      used.reduce((total, one) => total + one[side].n, 0)
    )
  const [before, after] = [calls('usual'), calls('recent')]
  return used
    .map(({ deployment, usual, recent }) => ({
      model: deployment.model,
      gpu: deployment.gpu,
      share_before_pct: round((100 * usual.n) / before, 1),
      share_after_pct: round((100 * recent.n) / after, 1),
      concurrency_before: usual.n > 0 ? rounded(batchOf(usual).concurrency) : null,
      concurrency_after: recent.n > 0 ? rounded(batchOf(recent).concurrency) : null
    }))
    .toSorted((a, b) => moved(b) - moved(a))
    .slice(0, 6)
}

const rounded = (value: number | null): number | null => (value === null ? null : round(value, 1))
const moved = (one: { share_before_pct: number; share_after_pct: number }): number =>
  Math.abs(one.share_after_pct - one.share_before_pct)

/** Metered cost per token now against before, at the traffic of now; null when unpriced. */
const extraCost = (used: readonly Used[], { after }: RateChange): string | null => {
  const sum = (side: 'usual' | 'recent', of: (sums: Sums) => number): number =>
    used.reduce((total, one) => total + of(one[side]), 0)
  const tokens = ({ uncached, cached, out }: Sums): number => uncached + cached + out
  const [was, is] = [sum('usual', costOf), sum('recent', costOf)]
  if (was <= 0 || is <= 0) return null
  const extra = is - (was * sum('recent', tokens)) / sum('usual', tokens)
  return ((Math.max(0, extra) * HOUR_MS) / (after.toMs - after.fromMs) / PICO_PER_USD).toFixed(4)
}

const costOf = (sums: Sums): number => sums.cost_pico

type Found = { factor: number; extra: number; explanation: Explanation; change: RateChange }

const summary = (name: string, { factor, extra, explanation, change }: Found): string => {
  const { cause, factors } = explanation
  const watts = (extra / (HOUR_MS / 1000)).toFixed(extra < HOUR_MS / 100 ? 1 : 0)
  const why =
    cause === null
      ? 'neither models, batches nor cache explain it.'
      : `${moversTold(cause, factors).join(', and ')}.`
  return `The same work of ${name} takes × ${factor.toFixed(2)} the energy, ${watts} W more, over ${change.after.n} requests: ${why}`
}

/** A second mover is named beside the first from this share of it on. */
const SECOND_SHARE = 0.25

const moversTold = (cause: Mover, factors: Explanation['factors']): string[] =>
  MOVERS.filter((one) => Math.log(factors[one]) >= SECOND_SHARE * Math.log(factors[cause]))
    .toSorted((a, b) => factors[b] - factors[a])
    .map((one) => `${SENTENCE_OF[one]} (× ${factors[one].toFixed(2)})`)

const SENTENCE_OF: Readonly<Record<Mover, string>> = {
  tier: 'calls moved to larger models or other hardware',
  batch: 'fewer calls share each step',
  cache: 'less of the input comes from the prompt cache'
}

/**
 * Before and after: as many requests as stated, with what moves their energy. What the finding says
 * of batches is the learned profile, in which older calls fade; here is that of the calls alone.
 */
const reproduce = (name: string, { before, after }: RateChange): string =>
  `SELECT time >= ${sqlTime(after.fromMs)} AS after, count(*) AS requests,
  sum(out_total) AS output_tokens, sum(in_total) AS input_tokens,
  100 * sum(in_cache_read) / sum(in_total) AS cached_pct_of_calls,
  sum(out_total) / sum(out_total / concurrency) AS concurrency_of_calls,
  mode(coalesce(response_model, request_model)) AS most_used_model,
  sum(energy_mid_uj) / 1e6 AS recorded_joules
FROM events
WHERE ${sqlEquals('tenant', name)} AND kind = 'llm' AND out_total > 0
  AND time >= ${sqlTime(before.fromMs)} AND time < ${sqlTime(after.toMs)}
GROUP BY 1 ORDER BY 1`

export const endDraft = (draft: Draft, ms: number, outcome: 'resolved' | 'accepted'): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: iso(ms + MINUTE_MS),
  summary: `${outcome === 'resolved' ? 'Recovered.' : 'Lasted so long that it is now the baseline.'} ${draft.summary}`
})
