import type { LiveCase } from '../../../jobs/detect/live-case.ts'
import type { TickOptions } from './ticks.ts'
import type { Spent } from './spent.ts'

/** What ticks took, by signal and by windows of history, and how large states are. */

export type Tick = { cpuSeconds: number; wallSeconds: number; findings: number; spent: Spent }

/** Two seconds on two cores. */
const CPU_SECONDS_MAX = 4
const STATE_BYTES_MAX = 2048
/** Windows of history after which ticks are compared, and how many ticks each is a median of. */
const HISTORY = [1, 10, 100]
const HISTORY_TICKS = 5

export const measure = async (work: () => Promise<number>, spent: Spent): Promise<Tick> => {
  const before = { cpu: process.cpuUsage(), ms: performance.now() }
  const findings = await work()
  const { user, system } = process.cpuUsage(before.cpu)
  return {
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - before.ms) / 1000,
    findings,
    spent: new Map(spent)
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

type Print = TickOptions['print']

export const printTick = (print: Print, minute: number, tick: Tick): void =>
  print(
    `minute ${minute}: ${tick.cpuSeconds.toFixed(2)} CPU s, ${tick.wallSeconds.toFixed(2)} s by the clock, ${tick.findings} findings`
  )

/** Bytes a series of each state; a signal watches at most each tenant and each of its models. */
export const reportStates = async (
  { engine, lake }: LiveCase,
  { tenants, models, print }: TickOptions
): Promise<boolean> => {
  const files = [...((await lake.head()).files.get('fold_states')?.keys() ?? [])]
  const list = files.map((file) => `'${lake.doors.files.location(`fold_states/${file}`)}'`)
  const rows = await engine.rows(
    `SELECT signal, sum(octet_length(bytes))::DOUBLE AS bytes FROM read_parquet([${list.join(', ')}]) GROUP BY 1 ORDER BY 1`
  )
  const series = tenants * (models + 1)
  const perSeries = rows.map(({ bytes }) => Number(bytes) / series)
  for (const [index, { signal }] of rows.entries()) {
    print(`state of ${String(signal)}: ${perSeries[index]!.toFixed(0)} bytes a series`)
  }
  return perSeries.every((bytes) => bytes <= STATE_BYTES_MAX)
}

/** @returns whether the median tick after warm-up keeps to its CPU seconds. */
export const reportTicks = (ticks: readonly Tick[], warm: number, print: Print): boolean => {
  const counted = ticks.slice(warm)
  const cpu = (part: readonly Tick[]): number => median(part.map(({ cpuSeconds }) => cpuSeconds))
  const names = new Set(counted.flatMap(({ spent }) => [...spent.keys()]))
  for (const name of [...names].sort()) {
    const ms = median(counted.map(({ spent }) => spent.get(name) ?? 0))
    print(`${name}: ${ms.toFixed(0)} ms of CPU a tick`)
  }
  for (const windows of HISTORY) {
    const after = ticks.slice(windows, windows + HISTORY_TICKS)
    if (after.length === HISTORY_TICKS)
      print(`after ${windows} windows: ${cpu(after).toFixed(2)} CPU s`)
  }
  const wall = median(counted.map(({ wallSeconds }) => wallSeconds))
  const warmUp = ticks.slice(0, warm).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  print(
    `warm-up of ${warm} ticks: ${warmUp.toFixed(2)} CPU s in all; then ${counted.length} ticks, medians: ` +
      `${cpu(counted).toFixed(2)} CPU s (at most ${CPU_SECONDS_MAX}), ${wall.toFixed(2)} s by the clock`
  )
  return cpu(counted) <= CPU_SECONDS_MAX
}
