import { LOG_BATCH_MAX, LOG_STEP_MAX } from './concurrency.ts'
import { energyParameters, type EnergyParameters } from './energy-parameters.ts'
import {
  CACHED_SHARE,
  CONTEXT_OUTPUT_SHARE,
  INPUT_ASSUMED_TOKENS,
  INPUT_UNREPORTED,
  LATENCY_RATIO_MAX,
  METHOD_VERSION,
  NORMAL_P90
} from './estimate.ts'
import { FACTORS, type EnergyFactors, type KnowledgeName } from './factors.ts'
import { OUTPUT_TOKENS_MIN } from './inter-token.ts'
import { CACHED_HALF_WIDTH, PREFILL_HALF_WIDTH } from './interval.ts'

/**
 * The estimate over columns: the same arithmetic as `estimateEnergy`, in SQL, for passes that can
 * not afford an object per event. A test holds the two together to 1e-9.
 */

/** Event columns that name a deployment; the parameter table has the same four, then numbers. */
export const ENERGY_KEY_COLUMNS = ['response_model', 'gpu', 'precision', 'n_gpus'] as const

export type EnergyKey = {
  response_model: string | null
  gpu: string | null
  precision: string | null
  n_gpus: number | null
}

/** How the inputs of the estimate read from a relation of events. */
export type EnergyColumns = {
  uncached: string
  cached: string
  out: string
  concurrency: string
  interTokenMs: string
}

const sumOf = (columns: readonly string[]): string =>
  `CASE WHEN coalesce(${columns.join(', ')}) IS NOT NULL THEN ${columns
    .map((column) => `coalesce(${column}, 0)`)
    .join(' + ')} END`

// What is written to a cache was computed like any other input.
const COMPUTED_INPUT = [
  'in_uncached',
  'in_cache_write_5m',
  'in_cache_write_30m',
  'in_cache_write_1h',
  'in_cache_write_12h',
  'in_cache_write_unk',
  'in_tool_use'
] as const
const OUT = `coalesce(out_total, out_text + coalesce(out_reasoning, 0), CASE WHEN kind = 'embedding' THEN 0 END)`

/** The columns of usage events. */
export const EVENT_ENERGY_COLUMNS: EnergyColumns = {
  uncached: sumOf(COMPUTED_INPUT),
  cached: 'in_cache_read',
  out: OUT,
  concurrency: 'concurrency',
  interTokenMs: `CASE
    WHEN (${OUT}) < ${OUTPUT_TOKENS_MIN} THEN NULL
    WHEN ttft_ms IS NOT NULL AND coalesce(out_reasoning, 0) = 0
      THEN (duration_ms - ttft_ms)::DOUBLE / ((${OUT}) - 1)
    ELSE duration_ms::DOUBLE / (${OUT}) END`
}

/** Event columns that the estimate and the overlap of calls read. */
export const ENERGY_INPUT_COLUMNS = [
  ...ENERGY_KEY_COLUMNS,
  ...COMPUTED_INPUT,
  'in_cache_read',
  'out_total',
  'out_text',
  'out_reasoning',
  'kind',
  'time',
  'duration_ms',
  'ttft_ms',
  'queue_ms',
  'host',
  'concurrency'
] as const

/** DDL of the parameter table: one row per distinct key, small enough to join without cost. */
export const energyParameterTableSql = (table: string): string => `CREATE TABLE ${table} (
  response_model VARCHAR, gpu VARCHAR, precision VARCHAR, n_gpus INTEGER,
  ${PARAMETER_COLUMNS.map(([name, type]) => `${name} ${type}`).join(', ')})`

const SAMPLE = energyParameters({ model: null })
const typeOf = (value: unknown): string => (typeof value === 'boolean' ? 'BOOLEAN' : 'DOUBLE')
const PARAMETERS = Object.keys(SAMPLE) as (keyof EnergyParameters)[]

/** Name and type of each column after the key. */
export const PARAMETER_COLUMNS: readonly (readonly [string, string])[] = PARAMETERS.map((name) => [
  name,
  typeOf(SAMPLE[name])
])

/** Values of one parameter row in the order of the table: key columns, then `PARAMETER_COLUMNS`. */
export const energyParameterValues = (
  key: EnergyKey,
  engineYear: number | null,
  factors: EnergyFactors = FACTORS
): (string | number | boolean | null)[] => {
  const row = energyParameters(
    {
      model: key.response_model,
      gpu: key.gpu,
      precision: key.precision,
      gpuCount: key.n_gpus,
      engineYear
    },
    factors
  )
  const keys = ENERGY_KEY_COLUMNS.map((name) => key[name])
  return [...keys, ...PARAMETERS.map((name) => row[name])]
}

/** The version that stands on every row: method and factors. */
export const energyVersion = (factors: EnergyFactors = FACTORS): string =>
  `${METHOD_VERSION}/${factors.version}`

export type EnergySqlOptions = {
  /** Relation of events and the parameter table, as they are named in FROM. */
  events: string
  parameters: string
  /** Join of events `e_` and parameters `p_`; a dictionary code is cheaper than the four columns. */
  joinOn?: string
  columns?: EnergyColumns
  factors?: EnergyFactors
}

const LIMIT = LATENCY_RATIO_MAX

/** Inputs with their rules for what is not reported, and the parameters of the deployment. */
const inputsLayer = ({
  events,
  parameters,
  joinOn,
  columns
}: Required<EnergySqlOptions>): string => {
  return `SELECT e_.*, ${PARAMETER_COLUMNS.map(([name]) => `p_.${name} AS en_${name}`).join(', ')},
    greatest(coalesce(${columns.cached}, 0), 0)::DOUBLE AS en_cached,
    greatest(coalesce(${columns.uncached},
      CASE WHEN coalesce(${columns.cached}, 0) > 0 THEN 0 ELSE ${INPUT_ASSUMED_TOKENS} END), 0)::DOUBLE
      AS en_uncached,
    ((${columns.uncached}) IS NULL AND (${columns.cached}) IS NULL)::DOUBLE AS en_unreported,
    -- greatest() would turn a missing count into 0.
    CASE WHEN (${columns.out}) < 0 THEN 0 ELSE (${columns.out}) END::DOUBLE AS en_out,
    CASE WHEN (${columns.concurrency}) > 0 THEN greatest(${columns.concurrency}, 1)::DOUBLE END
      AS en_concurrency,
    CASE WHEN p_.latency_usable AND (${columns.interTokenMs}) > 0
      THEN (${columns.interTokenMs})::DOUBLE END AS en_latency
  FROM ${events} AS e_ LEFT JOIN ${parameters} AS p_ ON ${joinOn}`
}

const marginal = (side: 'e' | 'l'): string =>
  `en_${side}_token + en_context * en_${side}_context
    + least(en_context, en_window_tokens) * en_${side}_window AS en_${side}_marginal`

/** One Gauss-Newton step in ln(batch): three layers, from a column or constant to a new column. */
const concurrencyStep = (from: string, to: string, factors: EnergyFactors): string[][] => {
  const { median, sigma, latencySigma } = factors.concurrency
  const priorWeight = 1 / sigma ** 2
  const moved = `greatest(-${LOG_STEP_MAX}, least(${LOG_STEP_MAX}, (en_elasticity_${to}
    / ${latencySigma ** 2} * ln(en_unbatched / en_predicted_${to})
    - ${priorWeight} * (${from} - ${Math.log(median)})) / en_curvature_${to}))`
  return [
    [`exp(${from}) AS en_at_${to}`],
    [`en_l_experts * exp(en_at_${to} * en_log_miss) AS en_missed_${to}`],
    [
      `en_l_step + en_l_experts - en_missed_${to} + en_at_${to} * en_l_marginal
        AS en_predicted_${to}`
    ],
    [
      `en_at_${to} * (en_l_marginal - en_missed_${to} * en_log_miss) / en_predicted_${to}
        AS en_elasticity_${to}`
    ],
    [
      `en_elasticity_${to} * en_elasticity_${to} / ${latencySigma ** 2} + ${priorWeight}
        AS en_curvature_${to}`
    ],
    [`greatest(0, least(${LOG_BATCH_MAX}, ${from} + ${moved})) AS en_log_${to}`]
  ]
}

type Side = 'below' | 'above'

/**
 * Square of the interval of what is known, bilinear in the flags of batch and latency and linear in
 * that of a mixture of experts: arithmetic on columns costs a quarter of the same CASE.
 */
const baseSquare = (side: Side, factors: EnergyFactors): string => {
  const bilinear = (group: 'dense' | 'mixture', scale: number): string => {
    const square = (name: KnowledgeName): number => factors.interval[name][group][side] ** 2
    const neither = square('neither')
    const byBatch = square('batch') - neither
    const byLatency = square('latency') - neither
    const byBoth = square('batch_and_latency') - neither - byBatch - byLatency
    return `(${scale * neither} + ${scale * byBatch} * en_has_batch
      + en_has_latency * (${scale * byLatency} + ${scale * byBoth} * en_has_batch))`
  }
  return `(${bilinear('dense', 1)} + en_mixture * (${bilinear('mixture', 1)} + ${bilinear('dense', -1)}))`
}

const widthSquare = (side: Side, factors: EnergyFactors): string => {
  const square = (value: number): string => String(value * value)
  return `${baseSquare(side, factors)} + en_${side}2 + en_blur * en_blur
    + en_unreported * ${square(INPUT_UNREPORTED[side])}
    + ${square(PREFILL_HALF_WIDTH[side])} * en_prefill_share * en_prefill_share
    + ${square(CACHED_HALF_WIDTH[side])} * en_cached_share * en_cached_share`
}

/** Each layer reads the one before it, so that nothing is computed twice. */
const layersOf = (factors: EnergyFactors): string[][] => [
  [
    'en_uncached + en_cached AS en_input',
    'CASE WHEN en_concurrency IS NULL THEN en_latency END AS en_unbatched',
    '(en_concurrency IS NOT NULL)::DOUBLE AS en_has_batch',
    '(en_latency IS NOT NULL)::DOUBLE AS en_has_latency'
  ],
  [`en_input + ${CONTEXT_OUTPUT_SHARE} * en_out AS en_context`],
  [marginal('e'), marginal('l')],
  ...concurrencyStep(String(Math.log(factors.concurrency.median)), 'first', factors),
  ...concurrencyStep('en_log_first', 'second', factors),
  [
    `coalesce(en_concurrency, CASE WHEN en_unbatched > 0 THEN exp(en_log_second) END,
      ${factors.concurrency.median}) AS en_batch`,
    'CASE WHEN en_unbatched > 0 THEN 1 / sqrt(en_curvature_second) ELSE 0 END AS en_log_sigma'
  ],
  ['1 - exp(en_batch * en_log_miss) AS en_coverage'],
  [
    '(en_e_step + en_e_experts * en_coverage) / en_batch AS en_shared',
    `CASE WHEN en_concurrency > 0 AND en_latency > 0 THEN pow(least(${LIMIT}, greatest(${1 / LIMIT},
      en_latency / (en_l_step + en_l_experts * en_coverage + en_batch * en_l_marginal))),
      ${factors.latencyWeight}) ELSE 1 END AS en_correction`,
    'en_e_input + en_e_attention * en_input AS en_per_input'
  ],
  [
    'en_per_input * en_uncached AS en_prefill',
    `${CACHED_SHARE} * en_per_input * en_cached AS en_cache_load`,
    '(en_shared + en_e_marginal) * en_out * en_correction AS en_decode',
    `${NORMAL_P90 * factors.concurrency.spreadScale} * en_log_sigma
      * en_shared / (en_shared + en_e_marginal) AS en_blur`
  ],
  ['en_prefill + en_cache_load + en_decode AS energy_mid_j'],
  [
    'coalesce(en_prefill / nullif(energy_mid_j, 0), 0) AS en_prefill_share',
    'coalesce(en_cache_load / nullif(energy_mid_j, 0), 0) AS en_cached_share'
  ],
  [
    `energy_mid_j * exp(-sqrt(${widthSquare('below', factors)})) AS energy_low_j`,
    `energy_mid_j * exp(sqrt(${widthSquare('above', factors)})) AS energy_high_j`,
    `CASE WHEN energy_mid_j IS NULL THEN NULL WHEN en_tier_floor = 4 THEN 'E4'
      WHEN en_tier_floor = 3 THEN 'E3' WHEN en_concurrency IS NOT NULL THEN 'E1'
      WHEN en_latency IS NOT NULL THEN 'E2' ELSE 'E3' END AS energy_tier`
  ]
]

const KEY_JOIN = ENERGY_KEY_COLUMNS.map(
  (name) => `e_.${name} IS NOT DISTINCT FROM p_.${name}`
).join(' AND ')

const complete = (options: EnergySqlOptions): Required<EnergySqlOptions> => ({
  joinOn: KEY_JOIN,
  columns: EVENT_ENERGY_COLUMNS,
  factors: FACTORS,
  ...options
})

const layered = (options: Required<EnergySqlOptions>): string =>
  layersOf(options.factors).reduce(
    (inner, columns) => `SELECT *, ${columns.join(',\n  ')}\nFROM (${inner})`,
    inputsLayer(options)
  )

/** All event columns and `energy_low_j`, `energy_mid_j`, `energy_high_j` (DOUBLE), `energy_tier`. */
export const energyJoulesSql = (options: EnergySqlOptions): string =>
  `SELECT COLUMNS(name -> NOT starts_with(name, 'en_')) FROM (${layered(complete(options))})`

const microjoules = (name: string): string =>
  `round(energy_${name}_j * 1e6)::BIGINT AS energy_${name}_uj`

/**
 * All event columns and, in BIGINT microjoules at the GPU boundary, `energy_low_uj`, `energy_mid_uj`
 * and `energy_high_uj`, with `energy_tier` and `energy_version`. Null where no output is reported or
 * the parameter table lacks the key. Pure arithmetic per row: bytes repeat whatever the order.
 */
export const energySql = (options: EnergySqlOptions): string => {
  const filled = complete(options)
  const names = ['low', 'mid', 'high']
  const dropped = "NOT starts_with(name, 'en_') AND NOT regexp_matches(name, '^energy_.*_j$')"
  return `SELECT COLUMNS(name -> ${dropped}), ${names.map(microjoules).join(', ')},
  CASE WHEN energy_mid_j IS NOT NULL THEN '${energyVersion(filled.factors)}' END AS energy_version
FROM (${layered(filled)})`
}
