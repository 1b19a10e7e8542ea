import { cp, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { openSettling } from '../../../jobs/settle/scratch-settling.ts'
import type { SettleDoors } from '../../../jobs/settle/settle-hour.ts'
import { settle } from '../../../jobs/settle/settle.ts'
import { generationOf } from '../../../services/consume/generation.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import { servedCalls } from './served-calls.ts'

/**
 * Settles copies of one hour with and without energy, in turn, and compares CPU seconds of the
 * process within each pair: what else runs on the machine then falls on both alike.
 */
export type PairedOptions = {
  events: number
  pairs: number
  /** Where copies of the lake are made. */
  folder: string
  print: (line: string) => void
}

export type PairedShares = {
  median: number
  /** Second smallest and second largest of the pairs: a 96 % interval of the median of nine. */
  low: number
  high: number
  pairs: number
  events: number
}

const US_PER_S = 1_000_000
const LATER_MS = Date.parse('2030-01-01T00:00:00Z')

export const sharesOfEnergy = async (options: PairedOptions): Promise<PairedShares> => {
  const { events, pairs, print } = options
  const endings: (() => void)[] = []
  const folder = await mkdtemp(path.join(options.folder, 'tally-energy-'))
  try {
    const scratch = await openSettling({ after: (end) => void endings.push(end as () => void) })
    await scratch.land(servedCalls(events))
    const run = (withEnergy: boolean): Promise<number> =>
      settledCopy(scratch.dir, path.join(folder, 'copy'), { withEnergy, events })
    // The first runs compile and load: they count for nothing.
    await run(true)
    await run(false)
    const shares: number[] = []
    for (let pair = 0; pair < pairs; pair += 1) {
      const order = pair % 2 === 0 ? [true, false] : [false, true]
      const spent = new Map<boolean, number>()
      for (const withEnergy of order) spent.set(withEnergy, await run(withEnergy))
      const [bare = 0, whole = 0] = [spent.get(false), spent.get(true)]
      shares.push(whole / bare - 1)
      print(`pair ${pair + 1}: ${bare.toFixed(2)} s without, ${whole.toFixed(2)} s with`)
    }
    return { ...middleOf(shares), pairs, events }
  } finally {
    for (const end of endings.toReversed()) end()
    await rm(folder, { recursive: true, force: true })
  }
}

const middleOf = (shares: readonly number[]) => {
  const sorted = shares.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const half = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(half)) + at(Math.ceil(half))) / 2,
    low: at(1),
    high: at(sorted.length - 2)
  }
}

type Copy = { withEnergy: boolean; events: number }

/** CPU seconds of settling a copy of the lake. */
const settledCopy = async (
  from: string,
  dir: string,
  { withEnergy, events }: Copy
): Promise<number> => {
  await rm(dir, { recursive: true, force: true })
  await cp(from, dir, { recursive: true })
  const engine = await Engine.open({ threads: 2 })
  try {
    const lake = await openLake(dir, { writeParquet: parquetWriter(engine) })
    const prices = await loadBook()
    const doors: SettleDoors = { engine, lake, prices, generation: generationOf(prices) }
    const bare = { ...doors, estimate: () => Promise.resolve({ expressions: {}, joins: [] }) }
    const partitions = [{ topic: 'usage', incarnation: 'one', partition: 0, start: 0, end: events }]
    const before = process.cpuUsage()
    await settle(withEnergy ? doors : bare, { partitions, nowMs: LATER_MS })
    const { user, system } = process.cpuUsage(before)
    return (user + system) / US_PER_S
  } finally {
    engine.close()
  }
}
