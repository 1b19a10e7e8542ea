import { openDetector } from '../../../jobs/detect/detect.ts'
import { landMinutes, type LiveCase } from '../../../jobs/detect/live-case.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import type { Signal } from '../../../services/signals/define.ts'
import type { LoadedSignal } from '../../../services/signals/load.ts'
import { tickEventsSql, type TickSize } from './events.ts'

/**
 * One tick of live detection: a minute of many tenants and models lands, and the detector reads it
 * from the lake's files, folds all signals and commits. CPU seconds of all threads are what counts;
 * time by the clock is printed beside them, since a busy machine only shows in that.
 */

export type TickOptions = TickSize & {
  folder: string
  signals: readonly LoadedSignal[]
  minutes: number
  /** Minutes before ticks count: code is compiled and every series has been seen. */
  warmMinutes: number
  print: (line: string) => void
}

/** Two seconds on two cores. */
const CPU_SECONDS_MAX = 4
const WALL_SECONDS_MAX = 2
const STATE_BYTES_MAX = 2048
const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000

/** CPU milliseconds that each signal's own code took in the last tick. */
const timed = (signal: LoadedSignal, spentMs: Map<string, number>): LoadedSignal => ({
  ...signal,
  open: (...args: Parameters<Signal['open']>) => {
    const fold = signal.open(...args)
    return {
      save: fold.save,
      fold: (minute) => {
        const before = process.cpuUsage()
        const drafts = fold.fold(minute)
        const { user, system } = process.cpuUsage(before)
        spentMs.set(signal.id, (spentMs.get(signal.id) ?? 0) + (user + system) / 1000)
        return drafts
      }
    }
  }
})

type Tick = { cpuSeconds: number; wallSeconds: number; findings: number }

const measure = async (work: () => Promise<number>): Promise<Tick> => {
  const before = { cpu: process.cpuUsage(), ms: performance.now() }
  const findings = await work()
  const { user, system } = process.cpuUsage(before.cpu)
  return {
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - before.ms) / 1000,
    findings
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** @returns whether ticks and states keep to their bounds. */
export const runTicks = async (options: TickOptions): Promise<boolean> => {
  const engine = await Engine.open({ threads: 2 })
  const lake = await openLake(options.folder, { writeParquet: parquetWriter(engine), create: true })
  const spentMs = new Map<string, number>()
  const signals = options.signals.map((signal) => timed(signal, spentMs))
  const live: LiveCase = {
    engine,
    lake,
    book: await loadBook(),
    options: { signals, generation: 'bench' }
  }
  // Landing is another process's work, and has a database of its own.
  const landing = { ...live, engine: await Engine.open({ threads: 2, memoryMaxMib: 2048 }) }
  const detector = openDetector(live, live.options)
  const ticks: Tick[] = []
  for (let minute = 0; minute < options.minutes; minute++) {
    const view = await landMinute(landing, START_MS + minute * MINUTE_MS, options)
    spentMs.clear()
    ticks.push(await measure(async () => (await detector.step(view)).length))
    printTick(options.print, minute, ticks.at(-1)!, spentMs)
  }
  await detector.save()
  const isSmall = await reportStates(live, options)
  engine.close()
  landing.engine.close()
  return reportTicks(ticks.slice(options.warmMinutes), options.print) && isSmall
}

/** Lands a minute that is closed; what the detector then sees of the log. */
const landMinute = async (live: LiveCase, startMs: number, size: TickSize) => {
  await live.engine.run(
    `CREATE OR REPLACE TEMP TABLE bench_events AS ${tickEventsSql(startMs, size)}`
  )
  await landMinutes(live, [startMs, startMs + MINUTE_MS], 'bench_events')
  await live.engine.run('DROP TABLE bench_events')
  const end = (await live.lake.head()).positions.get('usage/0')?.next ?? 0
  const partition = { topic: 'usage', partition: 0, incarnation: 'one', start: 0, end }
  return { partitions: async () => [partition], nowMs: startMs + 2 * MINUTE_MS }
}

const printTick = (
  print: TickOptions['print'],
  minute: number,
  { cpuSeconds, wallSeconds, findings }: Tick,
  spentMs: ReadonlyMap<string, number>
): void => {
  const folds = [...spentMs].map(([id, ms]) => `${id} ${ms.toFixed(0)}`).join(', ')
  print(
    `minute ${minute}: ${cpuSeconds.toFixed(2)} CPU s, ${wallSeconds.toFixed(2)} s, ${findings} findings; folds in ms: ${folds}`
  )
}

const reportStates = async (
  { engine, lake }: LiveCase,
  { tenants, models, signals, print }: TickOptions
): Promise<boolean> => {
  const files = [...((await lake.head()).files.get('fold_states')?.keys() ?? [])]
  const list = files.map((file) => `'${lake.doors.files.location(`fold_states/${file}`)}'`)
  const rows = await engine.rows(
    `SELECT signal, sum(octet_length(bytes))::DOUBLE AS bytes FROM read_parquet([${list.join(', ')}]) GROUP BY 1 ORDER BY 1`
  )
  // A signal watches at most each tenant and each of its models.
  const series = tenants * (models + 1)
  const perSeries = rows.map(({ bytes }) => Number(bytes) / series)
  for (const [index, { signal }] of rows.entries()) {
    print(`state of ${String(signal)}: ${perSeries[index]!.toFixed(0)} bytes a series`)
  }
  print(`${signals.length} signals, ${tenants} tenants × ${models} models`)
  return perSeries.every((bytes) => bytes <= STATE_BYTES_MAX)
}

const reportTicks = (ticks: readonly Tick[], print: TickOptions['print']): boolean => {
  const half = Math.floor(ticks.length / 2)
  const cpu = (part: readonly Tick[]): number => median(part.map(({ cpuSeconds }) => cpuSeconds))
  const wall = median(ticks.map(({ wallSeconds }) => wallSeconds))
  print(
    `tick after warm-up, medians: ${cpu(ticks).toFixed(2)} CPU s, ${wall.toFixed(2)} s by the clock; ` +
      `first half ${cpu(ticks.slice(0, half)).toFixed(2)}, second half ${cpu(ticks.slice(half)).toFixed(2)} CPU s`
  )
  return cpu(ticks) <= CPU_SECONDS_MAX || wall <= WALL_SECONDS_MAX
}
