import { ENRICHED_COLUMNS, EVENT_COLUMNS } from '../../../schemas/tables.ts'
import { windowsSql } from '../../../schemas/windows.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { landTable, parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { hourKey } from '../../../services/lake/settled-hours.ts'

/** A lake of thirty settled days, for measuring how fast it answers. */

export const HOURS = 720
const HOUR_MS = 3_600_000
export const START_MS = Date.parse('2026-03-01T00:00:00Z')
/** A day of the windows of 100 M calls lies in memory. */
const MEMORY_MIB = 8192
const TENANTS = 200
const MODELS = 8
const ROUTES = 4

const DAY_HOURS = 24

/**
 * Writes the windows of `calls` calls. Tenants and models differ in size as they do in life: a few
 * have most of the traffic. The calls of one day are made and put together; the other days are that
 * one, moved: how fast an answer is does not depend on whose hour resembles whose.
 */
export const writeSettledLake = async (dir: string, calls: number): Promise<void> => {
  const engine = await Engine.open({ threads: 2, memoryMaxMib: MEMORY_MIB })
  const lake = await openLake(dir, { writeParquet: parquetWriter(engine), create: true })
  await engine.run(`SELECT setseed(0.8)`)
  const perHour = Math.round(calls / HOURS)
  for (let hour = 0; hour < HOURS; hour++) {
    const startMs = START_MS + hour * HOUR_MS
    const day = Math.floor(hour / DAY_HOURS)
    const windows = `temp.windows_${hour % DAY_HOURS}`
    if (day === 0) {
      await engine.run(`CREATE OR REPLACE TEMP TABLE enriched AS ${callsSql(startMs, perHour)};
        CREATE TEMP TABLE ${windows} AS ${windowsSql('enriched', { present: PRESENT })}`)
    }
    const sql = `SELECT * REPLACE (window_start + INTERVAL ${day} DAYS AS window_start), 'bench' AS generation
      FROM ${windows}`
    const file = await landTable(
      { engine, lake },
      { table: 'windows_settled', sql, time: 'window_start' }
    )
    await lake.commit((head) => ({
      kind: 'settle',
      generation: 'bench',
      ranges: [],
      adds: file === null ? [] : [file],
      removes: [],
      state: {
        [hourKey(startMs)]: {
          through: head.version,
          events: perHour,
          duplicates: 0,
          conflicts: 0,
          generation: 'bench',
          next: {}
        }
      }
    }))
  }
  engine.close()
}

const PRESENT = new Set([
  'time',
  'tenant',
  'kind',
  'provider',
  'request_model',
  'response_model',
  'route',
  'status',
  'in_uncached',
  'in_cache_read',
  'out_text',
  'in_total',
  'out_total',
  'cost_pico',
  'energy_low_uj',
  'energy_mid_uj',
  'energy_high_uj',
  'duration_ms',
  'ttft_ms'
])

const callsSql = (startMs: number, calls: number): string => {
  const nulls = [...EVENT_COLUMNS, ...ENRICHED_COLUMNS]
    .filter(({ name }) => !PRESENT.has(name))
    .map(({ name, type }) => `NULL::${type} AS "${name}"`)
  return `SELECT make_timestamptz((${startMs * 1000} + floor(random() * 3600) * 1000000)::BIGINT) AS time,
    'tenant-' || floor(${TENANTS} * pow(random(), 3))::INTEGER AS tenant, 'llm' AS kind,
    'provider-' || (m % 3) AS provider, 'model-' || m AS request_model, 'model-' || m AS response_model,
    'route-' || floor(${ROUTES} * random())::INTEGER AS route, 200 AS status,
    uncached AS in_uncached, cached AS in_cache_read, out AS out_text,
    uncached + cached AS in_total, out AS out_total, (uncached + 4 * out) * 3000000 AS cost_pico,
    out * 100000 AS energy_low_uj, out * 300000 AS energy_mid_uj, out * 900000 AS energy_high_uj,
    (300 + 8 * out)::BIGINT AS duration_ms, (200 + uncached // 20)::BIGINT AS ttft_ms, ${nulls.join(', ')}
  FROM (SELECT floor(${MODELS} * pow(random(), 2))::INTEGER AS m, (exp(6 + 2 * random()))::BIGINT AS uncached,
    floor(3000 * random())::BIGINT AS cached, (exp(3 + 3 * random()))::BIGINT AS out FROM range(${calls}))`
}
