import { BUCKETS, TOTALS } from '../../../schemas/tokens.ts'
import { WINDOW_MEASURES } from '../../../schemas/windows.ts'
import { SUMS } from './columns.ts'

/**
 * What can be asked of the cube. Each measure is an expression over sums, so that it is right at
 * every grain: ratios are taken last. Quantiles come from merged histograms.
 */
export type Measure = {
  id: string
  title: string
  unit: string
} & ({ sql: string } | { histogram: string; quantile: number })

const over = (above: string, below: string): string => `${above} / nullif(${below}, 0)`

const named: readonly Measure[] = [
  { id: 'calls', title: 'Calls', unit: 'calls', sql: 'sum(n)::DOUBLE' },
  { id: 'cost_usd', title: 'Metered cost', unit: 'USD', sql: 'sum(cost_pico) / 1e12' },
  {
    id: 'cost_usd_per_call',
    title: 'Cost of a call',
    unit: 'USD',
    sql: over('sum(cost_pico) / 1e12', 'sum(n)')
  },
  {
    id: 'cost_retry_usd',
    title: 'Cost of retries',
    unit: 'USD',
    sql: 'sum(cost_retry_pico) / 1e12'
  },
  ...[...TOTALS, ...BUCKETS].map((name): Measure => ({
    id: name,
    title: name.replaceAll('_', ' '),
    unit: 'tokens',
    sql: `sum(${name})::DOUBLE`
  })),
  {
    id: 'cache_hit_rate',
    title: 'Cache hit rate',
    unit: 'ratio',
    sql: over('sum(cache_h)', 'sum(cache_w)')
  },
  {
    id: 'error_rate',
    title: 'Share of calls that failed',
    unit: 'ratio',
    sql: over('sum(n_error)', 'sum(n)')
  },
  {
    id: 'retry_rate',
    title: 'Share of calls that are retries',
    unit: 'ratio',
    sql: over('sum(n_retry)', 'sum(n)')
  },
  {
    id: 'refusal_rate',
    title: 'Share of calls refused',
    unit: 'ratio',
    sql: over('sum(n_refused)', 'sum(n_refusal_known)')
  },
  {
    id: 'schema_valid_rate',
    title: 'Share of outputs that satisfy their schema',
    unit: 'ratio',
    sql: over('sum(n_schema_valid)', 'sum(n_schema)')
  },
  {
    id: 'input_drift_ratio',
    title: 'Reported over local input tokens',
    unit: 'ratio',
    sql: over('sum(drift_in_r)', 'sum(drift_in_l)')
  },
  {
    id: 'output_drift_ratio',
    title: 'Reported over local output tokens',
    unit: 'ratio',
    sql: over('sum(drift_out_r)', 'sum(drift_out_l)')
  },
  { id: 'energy_j', title: 'Energy', unit: 'J', sql: 'sum(energy_mid_uj) / 1e6' },
  {
    id: 'energy_low_j',
    title: 'Energy, low end (80 %)',
    unit: 'J',
    sql: 'sum(energy_low_uj) / 1e6'
  },
  {
    id: 'energy_high_j',
    title: 'Energy, high end (80 %)',
    unit: 'J',
    sql: 'sum(energy_high_uj) / 1e6'
  },
  {
    id: 'output_tokens_per_j',
    title: 'Output tokens a joule',
    unit: 'tokens/J',
    sql: over('sum(energy_out_total)', 'sum(energy_told_uj) / 1e6')
  },
  {
    id: 'duration_mean_ms',
    title: 'Mean duration',
    unit: 'ms',
    sql: over('sum(duration_ms)', 'sum(duration_n)')
  },
  {
    id: 'score_mean',
    title: 'Mean judged score',
    unit: 'score',
    sql: over('sum(score_ppm) / 1e6', 'sum(score_n)')
  },
  ...[50, 90, 95, 99].flatMap((percent): Measure[] => [
    {
      id: `duration_p${percent}_ms`,
      title: `Duration, ${percent}th percentile`,
      unit: 'ms',
      histogram: 'duration_hist',
      quantile: percent / 100
    },
    {
      id: `ttft_p${percent}_ms`,
      title: `Time to first token, ${percent}th percentile`,
      unit: 'ms',
      histogram: 'ttft_hist',
      quantile: percent / 100
    }
  ])
]

const comments = new Map(WINDOW_MEASURES.map(({ name, comment }) => [name, comment]))

/** Every additive column of the cube under its own name, where nothing above has that name. */
const plain: readonly Measure[] = SUMS.filter((name) => !named.some(({ id }) => id === name)).map(
  (name) => ({
    id: name,
    title: comments.get(name) ?? name,
    unit: unitOf(name),
    sql: `sum(${name})::DOUBLE`
  })
)

function unitOf(name: string): string {
  if (name.endsWith('_pico')) return 'pico-USD'
  if (name.endsWith('_uj')) return 'µJ'
  return name.startsWith('n_') || name.endsWith('_n') || name === 'n' ? 'calls' : 'count'
}

export const MEASURES: readonly Measure[] = [...named, ...plain]
