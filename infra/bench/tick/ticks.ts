import { openDetector, type Detector } from '../../../jobs/detect/detect.ts'
import { commitFlush, landEvents, viewAt, type LiveCase } from '../../../jobs/detect/live-case.ts'
import { LATENESS_MS } from '../../../jobs/detect/watermark.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import type { LoadedSignal } from '../../../services/signals/load.ts'
import { tickEventsSql, type TickSize } from './events.ts'
import { measure, printTick, readStates, type States, type Tick } from './report.ts'
import { timedEngine, timedSignal, type Spent } from './spent.ts'

/**
 * Ticks of live detection: a minute of many tenants and models lands, flush by flush, and the detector
 * reads it from the lake's files, folds all signals and commits. It looks as often as flushes come; the
 * look that closes the minute is the tick, which an alert waits for. CPU seconds of all threads are
 * what counts; time by the clock is printed beside them, since a busy machine only shows in that.
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
/** A flush, and with each a look. */
const FLUSH_MS = 5_000
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
    await landMinute({ ...live, engine: landing }, minute, options)
    const endMs = START_MS + (minute + 1) * MINUTE_MS
    const lookAt = (nowMs: number) => async () =>
      (await detector.step(viewAt(live, endMs, nowMs))).length
    let aheadCpuSeconds = 0
    for (let sinceMs = 0; sinceMs < LATENESS_MS; sinceMs += FLUSH_MS) {
      aheadCpuSeconds += (await measure(lookAt(endMs + sinceMs), spent)).cpuSeconds
    }
    spent.clear()
    const tick = await measure(lookAt(endMs + LATENESS_MS), spent)
    ticks.push({ ...tick, aheadCpuSeconds })
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

/** Lands a minute, flush by flush. */
const landMinute = async (live: LiveCase, minute: number, size: TickSize): Promise<void> => {
  const startMs = START_MS + minute * MINUTE_MS
  const events = tickEventsSql(startMs, size, [0, size.tenants])
  await live.engine.run(`CREATE OR REPLACE TEMP TABLE tick_events AS ${events}`)
  for (let fromMs = startMs; fromMs < startMs + MINUTE_MS; fromMs += FLUSH_MS) {
    const toMs = fromMs + FLUSH_MS
    const flush = `SELECT * FROM tick_events
WHERE time >= make_timestamptz(${fromMs}000) AND time < make_timestamptz(${toMs}000)`
    await commitFlush(live, await landEvents(live, flush), toMs)
  }
}
