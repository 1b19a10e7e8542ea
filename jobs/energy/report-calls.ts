import type { Engine } from '../../services/lake/engine.ts'
import {
  energyJoulesSql,
  EVENT_ENERGY_COLUMNS,
  type EnergyColumns,
  type EnergyKey
} from '../../services/rates/energy/energy-sql.ts'
import { withOverlapSql } from '../../services/rates/energy/overlap-sql.ts'
import {
  energyKeysSql,
  parameterTableSql
} from '../../services/rates/energy/parameter-table-sql.ts'
import { moment } from './host-days.ts'

const PARAMETERS = 'report_parameters'
const CALLS = '(FROM temp.report_events)'

export type ReportSpan = { fromMs: number; toMs: number }

/**
 * Makes the table `report_calls`: one row for each model call in a span of time, with its energy in
 * joules at the GPU boundary as estimated, as measured, and as it would be without a prompt cache
 * and alone in its batch; and whether the task that it belongs to passed.
 */
export const gatherReportCalls = async (
  engine: Engine,
  span: ReportSpan,
  passScore: number
): Promise<void> => {
  await engine.run(eventsSql(span))
  const keys = (await engine.rows(energyKeysSql(CALLS))) as EnergyKey[]
  const [first] = await engine.rows(`SELECT min(year(time)) AS year,
    epoch_ms(min(time))::DOUBLE AS time_ms FROM ${CALLS}`)
  await engine.run(parameterTableSql(PARAMETERS, keys, Number(first?.['year'] ?? 0)))
  await engine.run(`CREATE OR REPLACE TEMP TABLE report_batched AS
    SELECT * FROM ${withOverlapSql(CALLS, 'row_key', { originMs: Number(first?.['time_ms'] ?? 0), untilMs: null })}`)
  await engine.run(measuredSql(span))
  await engine.run(verdictsSql(span, passScore))
  const { uncached, cached } = EVENT_ENERGY_COLUMNS
  const both = `CASE WHEN coalesce(${uncached}, ${cached}) IS NOT NULL
    THEN coalesce(${uncached}, 0) + coalesce(${cached}, 0) END`
  await engine.run(`CREATE OR REPLACE TEMP TABLE report_calls AS
    SELECT e.row_key, e.tenant, coalesce(e.response_model, e.request_model) AS model, e.host, e.task,
      e.provider, e.region, date_trunc('hour', e.time) AS hour, v.passed, e.concurrency,
      ${EVENT_ENERGY_COLUMNS.out} AS out_tokens, ${both} AS in_tokens, in_cache_read AS cached_tokens,
      coalesce(e.energy_low_uj / 1e6, n.energy_low_j) AS low_j,
      coalesce(e.energy_mid_uj / 1e6, n.energy_mid_j) AS mid_j,
      coalesce(e.energy_high_uj / 1e6, n.energy_high_j) AS high_j,
      coalesce(e.energy_tier, n.energy_tier) AS tier,
      n.energy_mid_j AS now_j, w.energy_mid_j AS without_cache_j,
      CASE WHEN e.concurrency > 0 THEN a.energy_mid_j END AS alone_j,
      m.measured_j, m.idle_serving_j, m.filled_j
    FROM temp.report_batched e
    JOIN (${joules({})}) n USING (row_key)
    JOIN (${joules({ uncached: both, cached: '0' })}) w USING (row_key)
    JOIN (${joules({ concurrency: '1' })}) a USING (row_key)
    LEFT JOIN temp.report_measured m ON m.tenant = e.tenant AND m.id = e.id
      AND m.source IS NOT DISTINCT FROM e.source
    LEFT JOIN temp.report_verdicts v ON v.task = e.task`)
}

const joules = (change: Partial<EnergyColumns>): string =>
  `SELECT row_key, energy_low_j, energy_mid_j, energy_high_j, energy_tier FROM (${energyJoulesSql({
    events: 'temp.report_batched',
    parameters: PARAMETERS,
    columns: { ...EVENT_ENERGY_COLUMNS, ...change }
  })})`

const within = (column: string, { fromMs, toMs }: ReportSpan): string =>
  `${column} >= ${moment(fromMs)} AND ${column} < ${moment(toMs)}`

/** A call without a trace is a task of its own. */
const TASK = "coalesce(trace_id, concat_ws('/', tenant, source, id))"

const eventsSql = (span: ReportSpan): string => `CREATE OR REPLACE TEMP TABLE report_events AS
  SELECT row_number() OVER (ORDER BY time, tenant, source, id)::BIGINT AS row_key, ${TASK} AS task, *
  FROM (SELECT * FROM temp.events WHERE kind IN ('llm', 'embedding') AND ${within('time', span)}
    QUALIFY row_number() OVER (PARTITION BY tenant, source, id
      ORDER BY provisional, append_time, "partition", "offset") = 1)`

// A call of the span may have drawn in windows that begin before it.
const measuredSql = ({
  fromMs
}: ReportSpan): string => `CREATE OR REPLACE TEMP TABLE report_measured AS
  SELECT tenant, source, id,
    sum(microjoules) FILTER (line IN ('active', 'idle_serving'))::DOUBLE / 1e6 AS measured_j,
    coalesce(sum(microjoules) FILTER (line = 'idle_serving')::DOUBLE / 1e6, 0) AS idle_serving_j,
    coalesce(sum(microjoules) FILTER (line = 'estimated')::DOUBLE / 1e6, 0) AS filled_j
  FROM temp.energy_measured WHERE id IS NOT NULL AND window_start >= ${moment(fromMs - 60_000)}
  GROUP BY ALL HAVING measured_j > 0`

/**
 * A task passed by its last judged score; where none was judged, if its last model call came to an
 * answer: no error, no refusal, no invalid output, and no guardrail that blocked.
 */
const verdictsSql = (span: ReportSpan, passScore: number): string =>
  `CREATE OR REPLACE TEMP TABLE report_verdicts AS
  SELECT ${TASK} AS task, coalesce(
    arg_max(score, time) FILTER (kind = 'evaluation' AND score IS NOT NULL) >= ${passScore},
    arg_max(coalesce(status, 200) < 400 AND error_type IS NULL AND refusal IS NOT TRUE
      AND schema_valid IS NOT FALSE, time) FILTER (kind IN ('llm', 'embedding'))
    AND count_if(kind = 'guardrail' AND verdict = 'block') = 0) AS passed
  FROM temp.events WHERE ${within('time', span)} GROUP BY 1`
