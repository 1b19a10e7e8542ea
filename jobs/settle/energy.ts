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
  const estimate = energySql({
    events: `(SELECT * FROM temp.columns WHERE kind IN ${MODEL_KINDS})`,
    parameters: PARAMETERS
  })
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
