import { Failure } from '../../schemas/failure.ts'
import type { Commit, Range } from '../lake/commit.ts'
import { Engine } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake } from '../lake/lake.ts'
import { localFiles } from '../lake/local-files.ts'
import { dieAt } from '../lake/crash-point.ts'
import { loadBook } from '../rates/prices/book.ts'
import { foreignFormat, nativeFormat, type ForeignFormat } from './decode/messages.ts'
import type { Handed } from './flush-clock.ts'
import { flush, type FlushDoors, type Landed } from './flush.ts'
import type { Gap } from './gap.ts'
import { generationOf } from './generation.ts'
import { parquetEncoder } from './parquet-encoder.ts'
import { Pending, type Source } from './pending.ts'
import type { Run } from './run.ts'

/** Where records become rows of the lake. */
export type Landing = {
  /** Stored position of each partition of a topic, by partition. */
  positions: (topic: string) => Promise<Map<number, Range>>
  /**
   * Moves a partition's position and says in `gaps` what was lost on the way, in one commit.
   * @throws Failure E_LAKE_CONFLICT (retriable) when the partition no longer stands where it was
   *   seen: another consumer moved it first.
   */
  adopt: (move: Adoption) => Promise<void>
  /** Takes records. */
  add: (run: Run, source: Source) => Added
  /** Leaves out what is pending of a partition. */
  drop: (partition: number) => void
  flush: () => Promise<Landed[]>
  close: () => void
}

/** What waits for the next flush, and the newest event of the partition that was added to. */
export type Added = Pick<Handed, 'rows' | 'watermarkMs'>

export type Adoption = {
  range: Range
  gap: Gap | null
  /** The position that the decision was made on; undefined = there was none. */
  seen: Pick<Range, 'incarnation' | 'next'> | undefined
}

export type LandingSettings = {
  dir: string
  /** Step of the lake's storage at which the process kills itself; for tests of recovery. */
  crashAt: string | null
  /** Format of a topic that is not ours; absent = native events. */
  foreign?: ForeignFormat
}

/** Room for a whole flush of wide rows: nothing is spilled on the hot path. */
const ENGINE_MEMORY_MIB = 1024

/** Opens the lake in `dir`, creating it when there is none. */
export const openLanding = async ({ dir, foreign, crashAt }: LandingSettings): Promise<Landing> => {
  const engine = await Engine.open({ memoryMaxMib: ENGINE_MEMORY_MIB })
  const lake = await openLake(dir, {
    create: true,
    writeParquet: parquetWriter(engine),
    ...(crashAt === null ? {} : { files: localFiles(dir, { step: dieAt(crashAt) }) })
  })
  const prices = await loadBook()
  const generation = generationOf(prices)
  const encoder = parquetEncoder({ engine, lake, prices, generation })
  const pending = new Pending(foreign === undefined ? nativeFormat() : foreignFormat(foreign))
  return { ...landingOn({ lake, generation, encoder }, pending), close: () => engine.close() }
}

/** A landing over any lake and encoder. */
export const landingOn = (doors: FlushDoors, pending: Pending): Omit<Landing, 'close'> => {
  const { lake } = doors
  return {
    positions: async (topic) => {
      const { positions } = await lake.head()
      const own = [...positions.values()].filter((range) => range.topic === topic)
      return new Map(own.map((range) => [range.partition, range]))
    },
    adopt: (move) => adopt(doors, move),
    add: (run, source) => {
      const { watermarkMs } = pending.add(run, source)
      return { rows: pending.rows, watermarkMs }
    },
    drop: (partition) => pending.drop(partition),
    flush: () => flush(doors, pending)
  }
}

const adopt = async (doors: FlushDoors, { range, gap, seen }: Adoption): Promise<void> => {
  const { lake, generation, encoder } = doors
  const adds = gap === null ? [] : await encoder.gap(range, gap)
  await lake.commit((head): Commit => {
    const stored = head.positions.get(`${range.topic}/${range.partition}`)
    // Offsets alone do not tell two logs apart: a topic made anew may stand at the same one.
    if (stored?.next !== seen?.next || stored?.incarnation !== seen?.incarnation) {
      throw new Failure('E_LAKE_CONFLICT', 'another consumer moved the partition first', {
        retriable: true
      })
    }
    return { kind: 'adopt', generation, ranges: [range], adds, removes: [], state: {} }
  })
}
