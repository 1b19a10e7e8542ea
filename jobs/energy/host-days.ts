import type { Engine, Row } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import {
  CACHED,
  END_MS,
  IS_SERVED,
  OUT,
  START_MS,
  UNCACHED
} from '../../services/rates/energy/call-sql.ts'
import { INPUT_ASSUMED_TOKENS } from '../../services/rates/energy/estimate-block.ts'
import type { MeterReading, MeterUnit } from '../../services/rates/energy/metered/meter-reading.ts'
import type { HostCall } from './measured-rows.ts'

export const DAY_MS = 86_400_000
/** Calls and readings this far around a day count: a window at midnight needs both its sides. */
const AROUND_MS = 3_600_000

/** SQL of a moment. */
export const moment = (timeMs: number): string =>
  `make_timestamptz(${Math.round(timeMs) * 1000}::BIGINT)`

const around = (column: string, dayMs: number): string =>
  `${column} >= ${moment(dayMs - AROUND_MS)} AND ${column} < ${moment(dayMs + DAY_MS + AROUND_MS)}`

/** Readings of a host around a day, out of the view `readings_now`. */
export const readingsOf = async (
  engine: Engine,
  host: string,
  dayMs: number
): Promise<MeterReading[]> => {
  const rows = await engine.rows(`SELECT gpu, gpu_model, epoch_ms(time)::DOUBLE AS time_ms, kind,
      unit, value FROM temp.readings_now WHERE host = ${quoted(host)} AND ${around('time', dayMs)}
    ORDER BY ALL`)
  return rows.map((row) => ({
    host,
    gpu: String(row['gpu']),
    gpuModel: row['gpu_model'] as string | null,
    timeMs: Number(row['time_ms']),
    kind: row['kind'] as MeterReading['kind'],
    unit: row['unit'] as MeterUnit | null,
    value: Number(row['value'])
  }))
}

/**
 * Makes the table `host_calls`: calls around a day that a model served on a host with meters, each
 * once, numbered by `key` in the order of their identity.
 */
export const gatherCalls = (engine: Engine, dayMs: number): Promise<void> =>
  engine.run(`CREATE OR REPLACE TEMP TABLE host_calls AS
    SELECT row_number() OVER (ORDER BY tenant, source, id)::INTEGER AS key, * FROM (
      SELECT tenant, source, id, host, response_model AS model, gpu, "precision", n_gpus,
        ${START_MS}::DOUBLE AS start_ms, ${END_MS}::DOUBLE AS end_ms,
        least(${END_MS}, greatest(${START_MS}, epoch_ms(time) + coalesce(ttft_ms, queue_ms, 0)))::DOUBLE
          AS first_ms,
        greatest(coalesce(${UNCACHED},
          CASE WHEN in_cache_read > 0 THEN 0 ELSE ${INPUT_ASSUMED_TOKENS} END), 0)::DOUBLE AS uncached,
        greatest(coalesce(${CACHED}, 0), 0)::DOUBLE AS cached,
        greatest(coalesce(${OUT}, 0), 0)::DOUBLE AS out, energy_mid_uj::DOUBLE AS estimate_uj
      FROM temp.events
      WHERE ${IS_SERVED} AND duration_ms IS NOT NULL AND ${around('time', dayMs)}
        AND host IN (SELECT DISTINCT host FROM temp.readings_now)
      -- Rows that are not settled yet may come twice; settling keeps the one that came first.
      QUALIFY row_number() OVER (PARTITION BY tenant, source, id
        ORDER BY provisional, append_time, "partition", "offset") = 1)`)

export const callsOf = async (engine: Engine, host: string): Promise<HostCall[]> => {
  const rows = await engine.rows(
    `SELECT * FROM temp.host_calls WHERE host = ${quoted(host)} ORDER BY key`
  )
  return rows.map(callOf)
}

const callOf = (row: Row): HostCall => {
  const number = (name: string): number | null => (row[name] === null ? null : Number(row[name]))
  const text = (name: string): string | null => (row[name] ?? null) as string | null
  return {
    key: Number(row['key']),
    // Ids of one tenant and source sort as they do in the lake: order decides about a last microjoule.
    id: JSON.stringify([text('tenant'), text('source'), text('id')]),
    tenant: text('tenant') ?? '',
    replica: text('model') ?? '',
    startMs: number('start_ms') ?? 0,
    firstTokenMs: number('first_ms') ?? 0,
    endMs: number('end_ms') ?? 0,
    uncached: number('uncached') ?? 0,
    cached: number('cached') ?? 0,
    out: number('out') ?? 0,
    model: text('model'),
    gpu: text('gpu'),
    precision: text('precision'),
    gpuCount: number('n_gpus'),
    estimateMicrojoules: number('estimate_uj')
  }
}
