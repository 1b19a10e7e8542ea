import { EVENT_FIELDS } from './event-fields.ts'
import { BUCKETS, TOTALS } from './tokens.ts'
import { binSql } from './histogram.ts'

/**
 * The window cube: one row per minute of event time and combination of dimensions. All measures
 * are additive integers or mergeable histograms, so windows merge by summing; ratios come last.
 * Second moments ride along because no detector can be calibrated without them.
 *
 * Every measure is an SQL aggregate over enriched event rows (columns of `EVENT_FIELDS` plus
 * `cost_pico`, `energy_*_uj`), so live consumption, settling and backtests share one definition.
 */

export const WINDOW_SECONDS = 60

export type WindowColumn = {
  name: string
  /** DuckDB type of the column as it lands. */
  type: 'TIMESTAMPTZ' | 'VARCHAR' | 'BIGINT' | 'MAP(SMALLINT, BIGINT)'
  /** Aggregate over event rows; for dimensions the grouping expression. */
  sql: string
  /**
   * Event columns that the aggregate needs: of each group at least one. Where a batch has none of
   * a group, the aggregate is known without looking: 0 for counts, null for the rest.
   */
  needs?: readonly (readonly string[])[]
  comment: string
}

const dimension = (name: string, comment: string): WindowColumn => ({
  name,
  type: 'VARCHAR',
  sql: name,
  comment
})

/** Minutes are whole in UTC, so that numbers tell them: asking a calendar costs ten times as much. */
export const windowStartSql = (time: string): string =>
  `make_timestamptz(epoch_us(${time}) - epoch_us(${time}) % ${WINDOW_SECONDS * 1_000_000})`

export const WINDOW_START: WindowColumn = {
  name: 'window_start',
  type: 'TIMESTAMPTZ',
  sql: windowStartSql('time'),
  comment: 'Start of the minute of event time, UTC.'
}

export const WINDOW_DIMENSIONS: readonly WindowColumn[] = [
  dimension('tenant', 'Who pays.'),
  dimension('kind', 'Kind of step.'),
  dimension('name', 'Tool, stage, index or agent.'),
  dimension('provider', 'Who served.'),
  dimension('request_model', 'Model asked for.'),
  dimension('response_model', 'Model that served.'),
  dimension('service_tier', 'Service tier that served.'),
  dimension('region', 'Region that served.'),
  dimension('route', 'Route of the gateway.'),
  dimension('cache_pool', 'Prompt cache shared by tenants.'),
  dimension('component_version', 'Version of router, guardrail, reranker or agent.'),
  dimension('script', 'Dominant script of the text.'),
  dimension('output_schema', 'Schema asked for.')
]

const bigint = (name: string, sql: string, comment: string): WindowColumn => ({
  name,
  type: 'BIGINT',
  sql,
  comment,
  needs: needsOf(sql)
})

const COLUMN_NAMES: ReadonlySet<string> = new Set([
  ...EVENT_FIELDS.map(({ column }) => column),
  'cost_pico',
  'energy_low_uj',
  'energy_mid_uj',
  'energy_high_uj'
])

/** The columns that an expression names: alternatives where it says OR or coalesces, else all. */
const needsOf = (sql: string): string[][] => {
  const names = [...new Set(sql.match(/[a-z][a-z0-9_]*/g) ?? [])].filter((name) =>
    COLUMN_NAMES.has(name)
  )
  return sql.includes(' OR ') || sql.includes(' IS NULL') ? [names] : names.map((name) => [name])
}
const count = (name: string, condition: string, comment: string): WindowColumn =>
  bigint(name, `count_if(${condition})`, comment)
/** Sum over the rows that report the value; null when none does, since null is not 0. */
const sum = (name: string, expression: string, comment: string): WindowColumn =>
  bigint(name, `sum(${expression})`, comment)
const histogram = (name: string, column: string, comment: string): WindowColumn => ({
  name,
  type: 'MAP(SMALLINT, BIGINT)',
  sql: `histogram(${binSql(column)}) FILTER (${column} IS NOT NULL)`,
  comment,
  needs: [[column]]
})

/** Rows whose cache read and input are both reported: the only ones a hit rate may use. */
const CACHE_KNOWN = 'in_total > 0 AND in_cache_read IS NOT NULL'
const whenCache = (expression: string): string => `CASE WHEN ${CACHE_KNOWN} THEN ${expression} END`
const HIT_PPM = '(in_cache_read * 1000000 // in_total)'

const driftColumns = (side: 'in' | 'out'): WindowColumn[] => {
  const local = `local_${side}`
  const reported = `${side}_total`
  const both = `${local} IS NOT NULL AND ${reported} IS NOT NULL`
  const when = (expression: string): string => `CASE WHEN ${both} THEN ${expression} END`
  const of = `${side}put tokens, rows with both counts`
  return [
    count(`drift_${side}_n`, both, `Rows with a local and a reported count of ${side}put tokens.`),
    sum(`drift_${side}_l`, when(local), `Σ local ${of}.`),
    sum(`drift_${side}_r`, when(reported), `Σ reported ${of}.`),
    sum(`drift_${side}_ll`, when(`${local} * ${local}`), `Σ local² ${of}.`),
    sum(`drift_${side}_rr`, when(`${reported} * ${reported}`), `Σ reported² ${of}.`),
    sum(`drift_${side}_lr`, when(`${local} * ${reported}`), `Σ local × reported ${of}.`),
    count(
      `drift_${side}_mismatch`,
      `${both} AND abs(${reported} - ${local}) > greatest(2, ${local} // 200)`,
      `Rows whose counts differ by more than 2 tokens and 0.5 % (${side}put).`
    )
  ]
}

/**
 * What ratios of energy are taken over: the same calls on either side, at every grain. The energy is
 * there again since sums over older windows have it without the others, and would be of more calls.
 */
const ENERGY_RATIOS: readonly WindowColumn[] = [
  // A sum, so that windows which have no energy yet, as those of a flush, do not claim 0.
  sum(
    'energy_n',
    'CASE WHEN energy_mid_uj IS NOT NULL THEN 1 END',
    'Events with an estimate of energy; null where none has one.'
  ),
  sum(
    'energy_out_total',
    'CASE WHEN energy_mid_uj IS NOT NULL THEN out_total END',
    'Σ output tokens of events with an estimate of energy; embeddings put none out.'
  ),
  sum(
    'energy_told_uj',
    'energy_mid_uj',
    'Σ central estimate in microjoules of windows that tell energy_n: what ratios over it divide.'
  )
]

export const WINDOW_MEASURES: readonly WindowColumn[] = [
  bigint('n', 'count(*)', 'Events.'),
  count('n_error', 'status >= 400 OR error_type IS NOT NULL', 'Events that failed.'),
  count('n_429', 'status = 429', 'Rate-limited.'),
  count('n_529', 'status = 529 OR status = 503', 'Overloaded.'),
  count('n_retry', 'attempt > 1', 'Attempts after the first.'),
  count('n_fallback', 'fallback_from IS NOT NULL', 'Served by a fallback.'),
  count('n_refusal_known', 'refusal IS NOT NULL', 'Events that say whether they were refused.'),
  count('n_refused', 'refusal', 'Refused.'),
  count('n_schema', 'schema_valid IS NOT NULL', 'Structured outputs judged.'),
  count('n_schema_valid', 'schema_valid', 'Structured outputs that satisfied the schema.'),
  count('n_blocked', "verdict IN ('block', 'refuse')", 'Guardrail verdicts block or refuse.'),
  count('n_usage', 'in_total IS NOT NULL OR out_total IS NOT NULL', 'Events that report usage.'),
  ...BUCKETS.map((name) => sum(name, name, `Σ tokens in bucket ${name}.`)),
  ...TOTALS.map((name) => sum(name, name, `Σ ${name} tokens.`)),
  count('cache_n', CACHE_KNOWN, 'Events with input and cache read both reported.'),
  count(
    'cache_null_n',
    "kind = 'llm' AND in_total > 0 AND in_cache_read IS NULL",
    'LLM calls whose cache read is not reported.'
  ),
  sum('cache_w', whenCache('in_total'), 'Σw, w = input tokens.'),
  sum('cache_h', whenCache('in_cache_read'), 'Σh, h = cached tokens.'),
  sum('cache_ww', whenCache('in_total * in_total'), 'Σw².'),
  sum('cache_hh', whenCache('in_cache_read * in_cache_read'), 'Σh².'),
  sum('cache_wh', whenCache('in_total * in_cache_read'), 'Σwh.'),
  sum('cache_x_ppm', whenCache(HIT_PPM), 'Σx, x = h/w per event in parts per million.'),
  sum('cache_xx_ppm2', whenCache(`${HIT_PPM} * ${HIT_PPM}`), 'Σx² in squared ppm.'),
  ...driftColumns('in'),
  ...driftColumns('out'),
  sum('cost_pico', 'cost_pico', 'Σ metered cost in pico-dollars, priced events only.'),
  sum(
    'cost_retry_pico',
    'CASE WHEN attempt > 1 THEN cost_pico END',
    'Σ cost of attempts after the first.'
  ),
  count(
    'n_unpriced',
    'cost_pico IS NULL AND (in_total IS NOT NULL OR out_total IS NOT NULL)',
    'Events with usage and no price.'
  ),
  sum('energy_low_uj', 'energy_low_uj', 'Σ energy in microjoules, low end of the 80 % interval.'),
  sum('energy_mid_uj', 'energy_mid_uj', 'Σ energy in microjoules, central estimate.'),
  sum('energy_high_uj', 'energy_high_uj', 'Σ energy in microjoules, high end of the interval.'),
  ...ENERGY_RATIOS,
  bigint('duration_n', 'count(duration_ms)', 'Events with a duration.'),
  sum('duration_ms', 'duration_ms', 'Σ duration in milliseconds.'),
  sum('duration_ms2', 'duration_ms * duration_ms', 'Σ duration² in squared milliseconds.'),
  histogram('duration_hist', 'duration_ms', 'Histogram of duration_ms by logarithmic bin.'),
  histogram('ttft_hist', 'ttft_ms', 'Histogram of ttft_ms by logarithmic bin.'),
  bigint('score_n', 'count(score)', 'Judged scores.'),
  sum('score_ppm', 'round(score * 1e6)::BIGINT', 'Σ judged score in millionths.'),
  sum('score_ppm2', '(round(score * 1e6)::BIGINT) * (round(score * 1e6)::BIGINT)', 'Σ score².')
]

export const WINDOW_COLUMNS: readonly WindowColumn[] = [
  WINDOW_START,
  ...WINDOW_DIMENSIONS,
  ...WINDOW_MEASURES
]

/** Windows as a flush lands them: histograms are lists of bins, which is half the work. */
export const RAW_HISTOGRAM_TYPE = 'SMALLINT[]'

export const isHistogram = ({ type }: Pick<WindowColumn, 'type'>): boolean => type.startsWith('MAP')

export type WindowsOptions = {
  /** Event columns that may hold a value; absent = all of them. */
  present?: ReadonlySet<string>
  /**
   * As a flush lands them: histograms stay lists of bins, and columns that no row has a value in
   * are left out. By Delta's rules readers see null there; writing them costs as much as full ones.
   */
  raw?: boolean
}

/** The aggregation of a relation of enriched events into the cube, ordered so that bytes repeat. */
export const windowsSql = (relation: string, options: WindowsOptions = {}): string => {
  const { raw = false } = options
  const has = (column: string): boolean => options.present?.has(column) ?? true
  const keys = [WINDOW_START, ...WINDOW_DIMENSIONS.filter(({ name }) => has(name))]
  const positions = keys.map((_, index) => index + 1).join(', ')
  const select = [
    ...keys.map(({ name, sql }) => `${sql} AS ${name}`),
    ...WINDOW_MEASURES.filter((column) => !raw || !isEmpty(column, has)).map(
      (column) => `${measureSql(column, has, raw)} AS ${column.name}`
    )
  ]
  const grouped = `SELECT ${select.join(',\n  ')}\nFROM ${relation}\nGROUP BY ${positions}\nORDER BY ${positions}`
  if (raw || keys.length === WINDOW_DIMENSIONS.length + 1) return grouped
  const columns = WINDOW_COLUMNS.map(({ name, type }) =>
    keys.some((key) => key.name === name) || !WINDOW_DIMENSIONS.some((key) => key.name === name)
      ? name
      : `NULL::${type} AS ${name}`
  )
  return `SELECT ${columns.join(', ')} FROM (${grouped})`
}

type Has = (name: string) => boolean

/** Whether an aggregate is known without looking at a row. */
const isKnown = ({ needs }: WindowColumn, has: Has): boolean =>
  needs?.some((group) => group.length > 0 && !group.some(has)) ?? false

/** Counts are 0 where nothing can be counted; sums and histograms of nothing are null. */
const isCount = ({ sql }: WindowColumn): boolean => sql.startsWith('count')

const isEmpty = (column: WindowColumn, has: Has): boolean =>
  isKnown(column, has) && !isCount(column)

const measureSql = (column: WindowColumn, has: Has, isRaw: boolean): string => {
  const type = isRaw && isHistogram(column) ? RAW_HISTOGRAM_TYPE : column.type
  if (isKnown(column, has)) return `${isCount(column) ? '0' : 'NULL'}::${type}`
  const sql = type === RAW_HISTOGRAM_TYPE ? column.sql.replace('histogram(', 'list(') : column.sql
  // count_if of conditions that are all null is null to DuckDB; a count of rows is 0.
  if (sql.startsWith('count_if')) return `coalesce(${sql}, 0)::${type}`
  // An overflowing sum of squares becomes null rather than ending the consumer.
  return `TRY_CAST(${sql} AS ${type})`
}
