import { cp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { SettleDoors } from '../../../jobs/settle/settle-hour.ts'
import { settle } from '../../../jobs/settle/settle.ts'
import { generationOf } from '../../../services/consume/generation.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import { cpuSeconds, type Pass } from './paired.ts'

const LATER_MS = Date.parse('2030-01-01T00:00:00Z')

export type SettlePass = {
  /** Folder of the lake whose copies are settled. */
  dir: string
  events: number
  /** Where copies are made. */
  folder: string
}

/** Settles a copy of one hour, by an engine as `tally settle` opens it. */
export const settlePass =
  ({ dir, events, folder }: SettlePass): Pass =>
  async (withEnergy) => {
    const copy = path.join(folder, 'copy')
    await rm(copy, { recursive: true, force: true })
    await cp(dir, copy, { recursive: true })
    const engine = await Engine.open({ threads: 2, spillFolder: path.join(folder, 'spill') })
    try {
      const lake = await openLake(copy, { writeParquet: parquetWriter(engine) })
      const prices = await loadBook()
      const doors: SettleDoors = { engine, lake, prices, generation: generationOf(prices) }
      const bare = { ...doors, estimate: () => Promise.resolve({ expressions: {}, joins: [] }) }
      const place = { topic: 'usage', incarnation: 'one', partition: 0 }
      const partitions = [{ ...place, start: 0, end: events }]
      return await cpuSeconds(() =>
        settle(withEnergy ? doors : bare, { partitions, nowMs: LATER_MS })
      )
    } finally {
      engine.close()
    }
  }
