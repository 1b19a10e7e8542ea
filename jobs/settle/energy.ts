import type { Enrichment } from '../../services/consume/landing.ts'
import type { Engine } from '../../services/lake/engine.ts'
import {
  ENERGY_INPUT_COLUMNS,
  energySql,
  type EnergyKey
} from '../../services/rates/energy/energy-sql.ts'
import { withOverlapSql } from '../../services/rates/energy/overlap-sql.ts'
import {
  energyKeysSql,
  parameterTableSql
} from '../../services/rates/energy/parameter-table-sql.ts'
import { HOUR_MS } from './closed-hours.ts'

const PARAMETERS = 'energy_parameters'
const CALLS = '(FROM temp.energy_calls)'

/**
 * Estimates the energy of the events of the view `columns` in the hour that begins at `startMs`: one
 * parameter row for each distinct deployment, everything else in SQL. Estimates belong to settling,
 * since they use what only the whole hour knows and are restated with it.
 */
export const energy = async (engine: Engine, startMs: number): Promise<Enrichment> => {
  // The view is a chain of joins, and all that follows reads these columns.
  await engine.run(`CREATE OR REPLACE TEMP TABLE energy_calls AS
    SELECT row_key, ${ENERGY_INPUT_COLUMNS.join(', ')} FROM temp.columns
    WHERE kind IN ('llm', 'embedding')`)
  const keys = (await engine.rows(energyKeysSql(CALLS))) as EnergyKey[]
  await engine.run(parameterTableSql(PARAMETERS, keys, new Date(startMs).getUTCFullYear()))
  // Only calls that began in this hour are seen, so their overlap is judged up to its end.
  const events = withOverlapSql(CALLS, 'row_key', { originMs: startMs, untilMs: startMs + HOUR_MS })
  const estimate = energySql({ events, parameters: PARAMETERS })
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
