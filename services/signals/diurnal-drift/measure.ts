import type { Draft } from '../define.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import type { Words } from '../statistics/series-slots.ts'
import { STEP_BINS } from './latency-step.ts'

/** What may drift by the hour: its words, the axis to look at, and SQL of its bad cases. */

type Measure = {
  axis: Draft['axis']
  /** What a bad case is, in the plural. */
  says: (slowMs: number) => string
  /** Whether a daily wave in it misleads evaluations; one of load is ordinary. */
  isQuality: boolean
  n: string
  bad: string
  where: string
}

const QUALITY = { axis: 'model', isQuality: true } as const

export const MEASURES: Readonly<Record<string, Measure>> = {
  latency: {
    axis: 'provider',
    says: (slowMs) => `calls slower than ${slowMs} ms`,
    isQuality: false,
    n: 'n',
    bad: '',
    where: "kind = 'llm' AND duration_n > 0"
  },
  degraded: {
    axis: 'provider',
    says: () => 'calls throttled, overloaded or served by a fallback',
    isQuality: false,
    n: 'n',
    bad: 'coalesce(n_429, 0) + coalesce(n_529, 0) + coalesce(n_fallback, 0)',
    where: "kind = 'llm'"
  },
  refusals: {
    ...QUALITY,
    says: () => 'refusals',
    n: 'n_refusal_known',
    bad: 'n_refused',
    where: "kind = 'llm' AND n_refusal_known > 0"
  },
  format_failures: {
    ...QUALITY,
    says: () => 'answers that miss their schema',
    n: 'n_schema',
    bad: 'n_schema - n_schema_valid',
    where: 'n_schema > 0'
  },
  judged_loss: {
    ...QUALITY,
    says: () => 'points lost in judged scores',
    n: 'score_n',
    bad: 'score_n - score_ppm / 1e6',
    where: 'score_n > 0 AND score_ppm BETWEEN 0 AND 1000000 * score_n'
  }
}

export const measureOf = (words: Words): Measure => {
  const measure = MEASURES[words[3] ?? '']
  if (measure === undefined) throw new RangeError(`No measure ${words[3]} in window.sql`)
  return measure
}

/** Rows of (window_start, n, bad) of a series between two times. */
export const casesSql = (
  words: Words,
  { fromMs, toMs, step }: { fromMs: number; toMs: number; step: number | null }
): string => {
  const [tenant, provider, model] = words
  const { n, bad, where } = measureOf(words)
  const filter = `${sqlEquals('tenant', tenant ?? null)} AND ${sqlEquals('provider', provider ?? null)}
    AND ${sqlEquals('coalesce(response_model, request_model)', model ?? null)}
    AND window_start >= ${sqlTime(fromMs)} AND window_start < ${sqlTime(toMs)} AND ${where}`
  if (step === null)
    return `SELECT window_start, ${n} AS n, ${bad} AS bad FROM windows WHERE ${filter}`
  return `SELECT window_start, n, CASE WHEN bin >= ${STEP_BINS * (step + 1)} THEN n ELSE 0 END AS bad FROM (
    SELECT window_start, unnest(map_keys(duration_hist)) AS bin, unnest(map_values(duration_hist)) AS n
    FROM windows WHERE ${filter})`
}
