import { loadEnergy, readServedCalls } from '../../services/consume/call-energy.ts'
import { ENERGY_VERSION, type Enrichment } from '../../services/consume/landing.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { estimateColumns } from '../../services/rates/energy/estimate-columns.ts'
import { HOUR_MS } from './closed-hours.ts'

/**
 * Estimates the energy of the events of the view `columns` in the hour that begins at `startMs`, by
 * columns. Estimates belong to settling, since they use what only the whole hour knows and are
 * restated with it.
 */
export const energy = async (engine: Engine, startMs: number): Promise<Enrichment> => {
  const calls = await readServedCalls(engine, 'temp.columns', {
    engineYear: new Date(startMs).getUTCFullYear(),
    // Only calls that began in this hour are seen, so their overlap is judged up to its end.
    untilMs: startMs + HOUR_MS
  })
  await loadEnergy(engine, 'energy', { rowKey: calls.rowKey, ...estimateColumns(calls) })
  return {
    expressions: {
      energy_low_uj: 'g.energy_low_uj',
      energy_mid_uj: 'g.energy_mid_uj',
      energy_high_uj: 'g.energy_high_uj',
      energy_tier: 'g.energy_tier',
      ...ENERGY_VERSION
    },
    // Not by partition and offset: a topic made anew uses them a second time.
    joins: ['LEFT JOIN temp.energy g ON g.row_key = e.row_key']
  }
}
