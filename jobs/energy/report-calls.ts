import { loadEnergy, readServedCalls } from '../../services/consume/call-energy.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { CACHED, IS_SERVED, OUT, UNCACHED } from '../../services/rates/energy/call-sql.ts'
import { estimateColumns } from '../../services/rates/energy/estimate-columns.ts'
import { moment } from './host-days.ts'

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
  await estimateAll(engine)
  await engine.run(measuredSql(span))
  await engine.run(verdictsSql(span, passScore))
  await engine.run(`CREATE OR REPLACE TEMP TABLE report_calls AS
    SELECT e.row_key, e.tenant, coalesce(e.response_model, e.request_model) AS model, e.host, e.task,
      e.provider, e.region, date_trunc('hour', e.time) AS hour, v.passed, n.concurrency,
      ${OUT} AS out_tokens,
      CASE WHEN coalesce(${UNCACHED}, ${CACHED}) IS NOT NULL
        THEN coalesce(${UNCACHED}, 0) + coalesce(${CACHED}, 0) END AS in_tokens,
      in_cache_read AS cached_tokens,
      coalesce(e.energy_low_uj, n.energy_low_uj) / 1e6 AS low_j,
      coalesce(e.energy_mid_uj, n.energy_mid_uj) / 1e6 AS mid_j,
      coalesce(e.energy_high_uj, n.energy_high_uj) / 1e6 AS high_j,
      coalesce(e.energy_tier, n.energy_tier) AS tier,
      n.energy_mid_uj / 1e6 AS now_j, n.without_cache_j,
      CASE WHEN n.concurrency > 0 THEN n.alone_j END AS alone_j,
      m.measured_j, m.idle_serving_j, m.filled_j
    FROM temp.report_events e
    JOIN temp.report_energy n USING (row_key)
    LEFT JOIN temp.report_measured m ON m.tenant = e.tenant AND m.id = e.id
      AND m.source IS NOT DISTINCT FROM e.source
    LEFT JOIN temp.report_verdicts v ON v.task = e.task`)
}

/** Makes `report_energy`: estimates as calls were, without their cache, and alone in their batch. */
const estimateAll = async (engine: Engine): Promise<void> => {
  const [first] = await engine.rows('SELECT min(year(time)) AS year FROM temp.report_events')
  const calls = await readServedCalls(engine, 'temp.report_events', {
    engineYear: Number(first?.['year'] ?? 0),
    untilMs: null
  })
  const { rowKey, uncached, cached, concurrency } = calls
  // Where neither count is reported there is no cache to leave out.
  const computed = uncached.map((tokens, row) => {
    const read = cached[row]!
    return Number.isNaN(read) ? tokens : Number.isNaN(tokens) ? read : tokens + read
  })
  const without = estimateColumns({ ...calls, uncached: computed, cached: cached.map(() => 0) })
  const alone = estimateColumns({ ...calls, concurrency: concurrency.map(() => 1) })
  await loadEnergy(engine, 'report_energy', {
    rowKey,
    ...estimateColumns(calls),
    others: { concurrency, without_cache_j: without.mid, alone_j: alone.mid }
  })
}

const within = (column: string, { fromMs, toMs }: ReportSpan): string =>
  `${column} >= ${moment(fromMs)} AND ${column} < ${moment(toMs)}`

/** A call without a trace is a task of its own. */
const TASK = "coalesce(trace_id, concat_ws('/', tenant, source, id))"

const eventsSql = (span: ReportSpan): string => `CREATE OR REPLACE TEMP TABLE report_events AS
  SELECT row_number() OVER (ORDER BY time, tenant, source, id)::BIGINT AS row_key, ${TASK} AS task, *
  FROM (SELECT * FROM temp.events WHERE ${IS_SERVED} AND ${within('time', span)}
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
      AND schema_valid IS NOT FALSE, time) FILTER (${IS_SERVED})
    AND count_if(kind = 'guardrail' AND verdict = 'block') = 0) AS passed
  FROM temp.events WHERE ${within('time', span)} GROUP BY 1`
