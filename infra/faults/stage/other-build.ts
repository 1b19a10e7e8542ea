import { nativeFormat } from '../../../services/consume/decode/messages.ts'
import { landingOn } from '../../../services/consume/landing-site.ts'
import type { LandingThread } from '../../../services/consume/landing-thread.ts'
import { parquetEncoder } from '../../../services/consume/parquet-encoder.ts'
import { Pending } from '../../../services/consume/pending.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import type { Disk } from '../../../services/lake/disk.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { localFiles } from '../../../services/lake/local-files.ts'
import { takeTurns } from '../../../services/lake/turn.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'

type OtherBuild = { dir: string; generation: string; disk: Disk }

/** The landing as another build of the product would do it: its rows name another generation. */
export const landAsBuild = async ({
  dir,
  generation,
  disk
}: OtherBuild): Promise<LandingThread> => {
  const engine = await Engine.open()
  const files = localFiles(dir, { disk })
  const lake = await openLake(dir, { create: true, writeParquet: parquetWriter(engine), files })
  const encoder = parquetEncoder({ engine, lake, prices: await loadBook(), generation })
  const landing = landingOn({ lake, generation, encoder }, new Pending(nativeFormat()))
  // As in the product's worker: what is added while a flush runs waits for the next one.
  const inTurn = takeTurns()
  return {
    positions: (topic) => inTurn(() => landing.positions(topic)),
    adopt: (move) => inTurn(() => landing.adopt(move)),
    add: (run, source) => inTurn(async () => landing.add(run, source)),
    drop: (partition) => inTurn(async () => landing.drop(partition)),
    flush: () => inTurn(() => landing.flush()),
    close: () => inTurn(async () => engine.close()),
    terminate: async () => {}
  }
}
