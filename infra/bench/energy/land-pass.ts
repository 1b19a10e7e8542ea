import path from 'node:path'
import { nativeFormat } from '../../../services/consume/decode/messages.ts'
import { generationOf } from '../../../services/consume/generation.ts'
import { landingOn, type Landing } from '../../../services/consume/landing-site.ts'
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
 * adds is told as a larger share than it has of the whole.
 */
export const landPass = async (folder: string, runs: readonly Run[]): Promise<Pass> => {
  const bare = await openSide(path.join(folder, 'bare'), false)
  const whole = await openSide(path.join(folder, 'whole'), true)
  let turn = 0
  return (withEnergy) => {
    // Two sides of a round land the same records.
    const run = runs[(turn++ >> 1) % runs.length]!
    return (withEnergy ? whole : bare)(run)
  }
}

type Side = (run: Run) => Promise<number>

const SOURCE = { topic: 'usage', incarnation: 'one' }

const openSide = async (dir: string, withEnergy: boolean): Promise<Side> => {
  const engine = await Engine.open()
  const lake = await openLake(dir, { create: true, writeParquet: parquetWriter(engine) })
  const prices = await loadBook()
  const generation = generationOf(prices)
  const doors = { engine, lake, prices, generation }
  const encoder = withEnergy ? parquetEncoder(doors) : parquetEncoder(doors, (batch) => batch)
  const landing: Omit<Landing, 'close'> = landingOn(
    { lake, generation, encoder },
    new Pending(nativeFormat())
  )
  let next = 0
  return (run) => {
    const moved = movedTo(run, next)
    next = moved.next
    return cpuSeconds(async () => {
      landing.add(moved, SOURCE)
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
