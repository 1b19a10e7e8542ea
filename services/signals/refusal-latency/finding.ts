import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import { round } from '../statistics/round.ts'
import type { Words } from '../statistics/series-slots.ts'
import type { Burn } from './burn.ts'
import { slowestStages, type PathTimes, type StageTimes } from './stages.ts'

/** Turns a burning budget, or refusals that take longer than answers, into a finding. */

export type Slowness = {
  words: Words
  budgetMs: number
  times: PathTimes
  /** Stage times of the answers of the same route, where they are known. */
  answers: PathTimes | undefined
  detectedMs: number
}

export type Rise = Slowness & {
  before: RiseStretch
  after: RiseStretch
  burns: readonly Burn[]
  evidenceNats: number
}

export const iso = (ms: number): string => new Date(ms).toISOString()

const totalMs = (stages: readonly StageTimes[], which: 'usualMs' | 'recentMs'): number =>
  Math.round(stages.reduce((sum, stage) => sum + stage[which], 0))

const figures = (stretch: RiseStretch): Draft['before'] => ({
  over_budget_pct: round(100 * shareOf(stretch), 1),
  traces: stretch.n,
  over_budget: stretch.k,
  trace_mean_ms: stretch.n > 0 ? Math.round(stretch.sums[0] / stretch.n) : null,
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

const scopeOf = ([, route, path]: Words): Record<string, string> => ({
  path: path ?? '',
  ...(route === null || route === undefined ? {} : { route })
})

/** Stages by growth, then the end users who wait for the tail. */
const contributorsOf = ({ times, answers }: Slowness): Draft['contributors'] => [
  ...slowestStages(times).map(({ stage, usualMs, recentMs }) => ({
    what: stage,
    usual_ms: Math.round(usualMs),
    recent_ms: Math.round(recentMs),
    answer_path_ms: Math.round(answers?.stages.find((one) => one.stage === stage)?.recentMs ?? 0)
  })),
  ...[...times.payers]
    .sort((a, b) => b.overMs - a.overMs)
    .map(({ who, overMs, traces }) => ({
      what: `user ${who}`,
      waited_over_budget_ms: Math.round(overMs),
      traces
    }))
]

/** A model that got slower is the model's; guardrails and reformulation come from the prompt's side. */
const axisOf = (stage: string | undefined): Draft['axis'] => {
  if (stage === 'model') return 'model'
  return stage === 'waiting' ? 'client' : 'prompt'
}

export const burnDraft = (rise: Rise): Draft => {
  const { words, before, after, burns, times } = rise
  const [worst] = slowestStages(times)
  const [tenant = null, route = null, path = null] = words
  const isFast = burns.some(({ burning, rate }) => burning && rate >= CRITICAL_BURN)
  return {
    fingerprint: fingerprint('refusal-latency', tenant, route, path, before.toMs),
    status: 'firing',
    severity: isFast ? 'critical' : 'warning',
    tenant,
    scope: scopeOf(words),
    axis: axisOf(worst?.stage),
    started_at: iso(before.toMs),
    detected_at: iso(rise.detectedMs),
    summary: `The ${path} path of ${tenant} exceeds ${rise.budgetMs} ms in ${round(100 * shareOf(after), 0)} % of ${after.n} traces, ${round(100 * shareOf(before), 1)} % before: ${stageText(worst)}`,
    before: { ...figures(before), critical_path_ms: totalMs(times.stages, 'usualMs') },
    after: afterFigures(rise),
    cost_usd_per_hour: costPerHour(rise),
    culprit: null,
    victims: [],
    contributors: contributorsOf(rise),
    query: reproduce(rise)
  }
}

/** Burn rate from which an on-call is woken, as in the SRE workbook. */
const CRITICAL_BURN = 6

const stageText = (worst: StageTimes | undefined): string =>
  worst === undefined
    ? 'no stage is known'
    : `${worst.stage} takes ${Math.round(worst.recentMs)} ms on the critical path instead of ${Math.round(worst.usualMs)} ms`

const afterFigures = ({ after, times, answers, ...rise }: Rise): Draft['after'] => ({
  ...figures(after),
  critical_path_ms: totalMs(times.stages, 'recentMs'),
  answer_path_ms: answers === undefined ? null : totalMs(answers.stages, 'recentMs'),
  budget_ms: rise.budgetMs,
  ...burnFigures(rise.burns),
  error_budget_hours_left: hoursLeft(rise.burns),
  evidence_nats: round(rise.evidenceNats, 1)
})

const burnFigures = (burns: readonly Burn[]): Draft['after'] =>
  Object.fromEntries(
    burns.map(({ rate, longMinutes }) => [`burn_rate_${longMinutes}_min`, round(rate, 1)])
  )

const PERIOD_HOURS = 30 * 24

/** Hours until a month's error budget is gone, at the rate of the shortest pair. */
const hoursLeft = ([fast]: readonly Burn[]): number | null =>
  fast === undefined || fast.rate <= 0 ? null : round(PERIOD_HOURS / fast.rate, 1)

const HOUR_MS = 3_600_000
const PICO_PER_USD = 1e12

/** What traces over budget cost an hour more than their like did before; null without prices. */
const costPerHour = ({ before, after }: Rise): string | null => {
  if (!(before.sums[1] > 0 && after.sums[1] > 0) || before.n === 0 || after.n === 0) return null
  const perTrace = after.sums[1] / after.n - before.sums[1] / before.n
  const perHour = (after.n * HOUR_MS) / Math.max(1, after.toMs - after.fromMs)
  return Math.max(0, (perTrace * perHour) / PICO_PER_USD).toFixed(4)
}

/** Traces of the path, by when they ended, and those over the budget. */
const traces = ([tenant, route, path]: Words, fromMs: number, toMs: number): string => `(
  SELECT trace_id, max(epoch_ms(time) + duration_ms) AS ended, min(epoch_ms(time)) AS began,
    coalesce(bool_or(verdict IN ('block', 'refuse', 'rewrite') OR refusal), false) AS refused,
    arg_min(route, time) FILTER (route IS NOT NULL) AS route
  FROM events WHERE ${sqlEquals('tenant', tenant ?? null)} AND trace_id IS NOT NULL
    AND duration_ms IS NOT NULL AND kind <> 'evaluation'
    AND time >= ${sqlTime(fromMs - HOUR_MS)} AND time < ${sqlTime(toMs)}
  GROUP BY ALL
) WHERE ${sqlEquals('route', route ?? null)}${path === undefined ? '' : ` AND refused = ${path === 'refusal'}`}
  AND ended >= ${fromMs} AND ended < ${toMs}`

const reproduce = ({ words, before, after, budgetMs }: Rise): string =>
  `SELECT ended >= ${before.toMs} AS after, count(*) AS traces,
  count_if(ended - began > ${budgetMs}) AS over_budget,
  100.0 * count_if(ended - began > ${budgetMs}) / count(*) AS over_budget_pct,
  avg(ended - began) AS trace_mean_ms
FROM ${traces(words, before.fromMs, after.toMs)} GROUP BY 1 ORDER BY 1`

export type Slower = Slowness & {
  answers: PathTimes
  evidenceNats: number
  fromMs: number
  toMs: number
}

/** Refusing takes longer than nearly every answer: nothing changed, it was built so. */
export const slowerDraft = (slower: Slower): Draft => {
  const { words, times, answers, budgetMs } = slower
  const [tenant, route] = words
  const [refusalMs, answerMs] = [times, answers].map(({ stages }) => totalMs(stages, 'recentMs'))
  const chain = times.stages.map(({ stage, recentMs }) => `${stage} ${Math.round(recentMs)}`)
  return {
    fingerprint: fingerprint(
      'refusal-latency',
      'slower',
      tenant ?? null,
      route ?? null,
      slower.fromMs
    ),
    status: 'firing',
    severity: 'warning',
    tenant: tenant ?? null,
    scope: scopeOf(words),
    axis: 'prompt',
    started_at: iso(slower.fromMs),
    detected_at: iso(slower.detectedMs),
    summary: `Refusing takes ${tenant} ${refusalMs} ms where answering takes ${answerMs} ms, longer than nearly all answers (${budgetMs} ms); in series: ${chain.join(', ')} ms`,
    before: { critical_path_ms: answerMs!, path: 'answer' },
    after: {
      critical_path_ms: refusalMs!,
      path: 'refusal',
      budget_ms: budgetMs,
      evidence_nats: round(slower.evidenceNats, 1)
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: contributorsOf(slower),
    query: `SELECT refused, count(*) AS traces, avg(ended - began) AS trace_mean_ms,
  count_if(ended - began > ${budgetMs}) AS over_answer_budget
FROM ${traces([tenant ?? null, route ?? null], slower.fromMs, slower.toMs)} GROUP BY 1 ORDER BY 1`
  }
}
