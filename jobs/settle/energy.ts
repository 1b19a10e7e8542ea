import type { Enrichment } from '../../services/consume/landing.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import {
  ENERGY_KEY_COLUMNS,
  energyParameterTableSql,
  energyParameterValues,
  energySql,
  type EnergyKey
} from '../../services/rates/energy/energy-sql.ts'
import {
  EVENT_END_MS,
  EVENT_START_MS,
  overlapSql
} from '../../services/rates/energy/overlap-sql.ts'
import { HOUR_MS } from './closed-hours.ts'

const PARAMETERS = 'energy_parameters'
/** Kinds of step that run a model on a GPU. */
const MODEL_KINDS = "('llm', 'embedding')"

/**
 * Estimates the energy of the events of the view `columns` in the hour that begins at `startMs`: one
 * parameter row for each distinct deployment, everything else in SQL. Estimates belong to settling,
 * since they use what only the whole hour knows and are restated with it.
 */
export const energy = async (engine: Engine, startMs: number): Promise<Enrichment> => {
  await loadParameters(engine, new Date(startMs).getUTCFullYear())
  const estimate = energySql({ events: withConcurrency(startMs), parameters: PARAMETERS })
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE energy AS
     SELECT row_key, energy_low_uj, energy_mid_uj, energy_high_uj, energy_tier
     FROM (${estimate})`
  )
  const names = ['energy_low_uj', 'energy_mid_uj', 'energy_high_uj', 'energy_tier']
  return {
    expressions: Object.fromEntries(names.map((name) => [name, `g.${name}`])),
    // Not by partition and offset: a topic made anew uses them a second time.
    joins: ['LEFT JOIN temp.energy g ON g.row_key = e.row_key']
  }
}

/**
 * Model calls of the hour. Where a host is known and no concurrency is told, it is that of the calls
 * of its model that overlap on the host. Only calls that began in this hour are seen, so what runs
 * on into the next is judged by its part in this one.
 */
const withConcurrency = (startMs: number): string => {
  const calls = `(SELECT * FROM temp.columns WHERE kind IN ${MODEL_KINDS})`
  const overlap = overlapSql({
    calls: `${calls} WHERE host IS NOT NULL AND duration_ms IS NOT NULL`,
    key: 'row_key',
    replica: ['host', "coalesce(response_model, '')"],
    startMs: EVENT_START_MS,
    endMs: `least(${EVENT_END_MS}, greatest(${startMs + HOUR_MS}, ${EVENT_START_MS}))`
  })
  return `(SELECT c.* REPLACE (coalesce(c.concurrency, o.overlap) AS concurrency)
    FROM ${calls} c LEFT JOIN (${overlap}) o USING (row_key))`
}

const loadParameters = async (engine: Engine, year: number): Promise<void> => {
  const keys = ENERGY_KEY_COLUMNS.join(', ')
  const rows = await engine.rows(
    `SELECT DISTINCT ${keys} FROM temp.columns WHERE kind IN ${MODEL_KINDS} ORDER BY ALL`
  )
  const values = rows.map(
    (row) =>
      `(${energyParameterValues(row as EnergyKey, year)
        .map(literal)
        .join(', ')})`
  )
  await engine.run(`DROP TABLE IF EXISTS ${PARAMETERS}`)
  await engine.run(energyParameterTableSql(PARAMETERS))
  if (values.length > 0) await engine.run(`INSERT INTO ${PARAMETERS} VALUES ${values.join(', ')}`)
}

const literal = (value: string | number | boolean | null): string =>
  value === null ? 'NULL' : typeof value === 'string' ? quoted(value) : String(value)
