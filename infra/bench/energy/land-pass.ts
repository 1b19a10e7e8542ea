import { nativeFormat } from '../../../services/consume/decode/messages.ts'
import { generationOf } from '../../../services/consume/generation.ts'
import { flushEstimate } from '../../../services/consume/landed-energy.ts'
import { landingOn } from '../../../services/consume/landing-site.ts'
import { parquetEncoder } from '../../../services/consume/parquet-encoder.ts'
import { Pending } from '../../../services/consume/pending.ts'
import type { Run } from '../../../services/consume/run.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import { cpuSeconds, type Pass } from './paired.ts'

/**
 * The consumer's pass: records are decoded into columns, priced, estimated and added up to windows;
 * raw events and windows are written as Parquet and committed. Fetching is left out, so what energy
 * adds is told as a larger share than it has of the whole. Both sides land in one lake by one engine:
 * nothing but the estimate and its columns is between them.
 */
export const landPass = async (dir: string, runs: readonly Run[]): Promise<Pass> => {
  const engine = await Engine.open()
  const lake = await openLake(dir, { create: true, writeParquet: parquetWriter(engine) })
  const prices = await loadBook()
  const generation = generationOf(prices)
  const estimate = flushEstimate()
  let isEstimated = false
  const encoder = parquetEncoder({ engine, lake, prices, generation }, (batch) =>
    isEstimated ? estimate(batch) : batch
  )
  const landing = landingOn({ lake, generation, encoder }, new Pending(nativeFormat()))
  let next = 0
  let turn = 0
  return (withEnergy) => {
    isEstimated = withEnergy
    // Two sides of a pair land the same records.
    const run = movedTo(runs[(turn++ >> 1) % runs.length]!, next)
    next = run.next
    return cpuSeconds(async () => {
      landing.add(run, { topic: 'usage', incarnation: 'one' })
      await landing.flush()
    })
  }
}

/** The same records further on in the log. */
const movedTo = (run: Run, first: number): Run => {
  const by = first - run.first
  return {
    ...run,
    first,
    next: run.next + by,
    offsets: run.offsets.map((offset) => offset + by),
    anchor: run.anchor === null ? null : { ...run.anchor, offset: run.anchor.offset + by }
  }
}
