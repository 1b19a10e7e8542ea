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

/** What energy adds, as a share of CPU: its median over the pairs and an interval of it. */
export type Added = { median: number; low: number; high: number }

export type PairedShares = {
  /** Of settling alone, and of landing and settling: all that an event goes through. */
  ofSettling: Added
  ofWholePass: Added
  /** CPU seconds of landing, decoding included. */
  landSeconds: number
}

/** Events of a flush, as a busy consumer makes them. */
const FLUSH_EVENTS = 50_000
const US_PER_S = 1_000_000
const LATER_MS = Date.parse('2030-01-01T00:00:00Z')

export const sharesOfEnergy = async (options: PairedOptions): Promise<PairedShares> => {
  const { events, pairs, print } = options
  const endings: (() => void)[] = []
  const folder = await mkdtemp(path.join(options.folder, 'tally-energy-'))
  try {
    const scratch = await openSettling({ after: (end) => void endings.push(end as () => void) })
    const landSeconds = await land(scratch, events)
    const run = (withEnergy: boolean): Promise<number> =>
      settledCopy(scratch.dir, folder, { withEnergy, events })
    // The first runs compile and load: they count for nothing.
    await run(true)
    await run(false)
    const spent: { bare: number; whole: number }[] = []
    for (let pair = 0; pair < pairs; pair += 1) {
      const whole = pair % 2 === 0 ? await run(true) : null
      const bare = await run(false)
      spent.push({ bare, whole: whole ?? (await run(true)) })
      print(
        `pair ${pair + 1}: ${bare.toFixed(2)} s without, ${spent[pair]!.whole.toFixed(2)} s with`
      )
    }
    return {
      ofSettling: middleOf(spent.map(({ bare, whole }) => whole / bare - 1)),
      ofWholePass: middleOf(spent.map(({ bare, whole }) => (whole - bare) / (landSeconds + bare))),
      landSeconds
    }
  } finally {
    for (const end of endings.toReversed()) end()
    await rm(folder, { recursive: true, force: true })
  }
}

type Scratch = Awaited<ReturnType<typeof openSettling>>

/** Lands the calls of an hour; what encoding them costs is the sender's. */
const land = async (scratch: Scratch, events: number): Promise<number> => {
  const calls = servedCalls(events)
  let seconds = 0
  for (let first = 0; first < events; first += FLUSH_EVENTS) {
    const run = scratch.encode(calls.slice(first, first + FLUSH_EVENTS))
    seconds += await cpuSeconds(() => scratch.flush(run))
  }
  return seconds
}

const cpuSeconds = async (work: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / US_PER_S
}

/** The interval leaves out one pair at each end: it holds the median of nine pairs at 96 %. */
const middleOf = (shares: readonly number[]): Added => {
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

/** CPU seconds of settling a copy of the lake, by an engine as `tally settle` opens it. */
const settledCopy = async (
  from: string,
  folder: string,
  { withEnergy, events }: Copy
): Promise<number> => {
  const dir = path.join(folder, 'copy')
  await rm(dir, { recursive: true, force: true })
  await cp(from, dir, { recursive: true })
  const engine = await Engine.open({ threads: 2, spillFolder: path.join(folder, 'spill') })
  try {
    const lake = await openLake(dir, { writeParquet: parquetWriter(engine) })
    const prices = await loadBook()
    const doors: SettleDoors = { engine, lake, prices, generation: generationOf(prices) }
    const bare = { ...doors, estimate: () => Promise.resolve({ expressions: {}, joins: [] }) }
    const partitions = [{ topic: 'usage', incarnation: 'one', partition: 0, start: 0, end: events }]
    return await cpuSeconds(() =>
      settle(withEnergy ? doors : bare, { partitions, nowMs: LATER_MS })
    )
  } finally {
    engine.close()
  }
}
