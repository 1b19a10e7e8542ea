import { openDetector, type Detector } from '../../../jobs/detect/detect.ts'
import { commitFlush, landEvents, type LiveCase } from '../../../jobs/detect/live-case.ts'
import type { TableFile } from '../../../services/lake/commit.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import type { LoadedSignal } from '../../../services/signals/load.ts'
import { tickEventsSql, type TickSize } from './events.ts'
import { measure, printTick, readStates, type States, type Tick } from './report.ts'
import { timedEngine, timedSignal, type Spent } from './spent.ts'

/**
 * Ticks of live detection: a minute of many tenants and models lands, and the detector reads it
 * from the lake's files, folds all signals and commits. CPU seconds of all threads are what counts;
 * time by the clock is printed beside them, since a busy machine only shows in that.
 */

export type TickOptions = TickSize & {
  folder: string
  signals: readonly LoadedSignal[]
  /** Minutes that have events, counted from the first; a tick each. */
  minutes: readonly number[]
  /** Whether statements of the database are timed too. */
  statements: boolean
  print: (line: string) => void
}

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000
/** Tenants landed at once: a flush of a quarter of a minute, and what one database holds. */
const SLICE_TENANTS = 2_500
/** What the detector's database takes at most, and the one that lands. */
const DETECT_MIB = 1024
const LANDING_MIB = 3072

export const runTicks = async (
  options: TickOptions
): Promise<{ ticks: Tick[]; states: States }> => {
  const { print, signals } = options
  print(`${signals.length} signals, ${options.tenants} tenants × ${options.models} models`)
  // Landing is another process's work, and has a database of its own.
  const engine = await Engine.open({ threads: 2, memoryMaxMib: DETECT_MIB })
  const landing = await Engine.open({ threads: 2, memoryMaxMib: LANDING_MIB })
  const spent: Spent = new Map()
  if (options.statements) timedEngine(engine, spent)
  const live: LiveCase = {
    engine,
    lake: await openLake(options.folder, { writeParquet: parquetWriter(engine), create: true }),
    book: await loadBook(),
    options: { signals: signals.map((signal) => timedSignal(signal, spent)), generation: 'bench' }
  }
  const detector = openDetector(live, live.options)
  const ticks: Tick[] = []
  for (const minute of options.minutes) {
    const view = await landMinute({ ...live, engine: landing }, minute, options)
    spent.clear()
    ticks.push(await measure(async () => (await detector.step(view)).length, spent))
    printTick(print, minute, ticks.at(-1)!)
  }
  const states = await saveAll(detector, live, options)
  engine.close()
  landing.close()
  return { ticks, states }
}

const saveAll = async (
  detector: Detector,
  live: LiveCase,
  options: TickOptions
): Promise<States> => {
  await detector.save()
  return readStates(live, options)
}

/** Lands a minute that is closed; what the detector then sees of the log. */
const landMinute = async (live: LiveCase, minute: number, size: TickSize) => {
  const startMs = START_MS + minute * MINUTE_MS
  const files: TableFile[] = []
  for (let from = 0; from < size.tenants; from += SLICE_TENANTS) {
    const to = Math.min(size.tenants, from + SLICE_TENANTS)
    files.push(...(await landEvents(live, tickEventsSql(startMs, size, [from, to]))))
  }
  await commitFlush(live, files, startMs + MINUTE_MS)
  const end = (await live.lake.head()).positions.get('usage/0')?.next ?? 0
  const partition = { topic: 'usage', partition: 0, incarnation: 'one', start: 0, end }
  return { partitions: async () => [partition], nowMs: startMs + 2 * MINUTE_MS }
}
