import type { LiveCase } from '../../../jobs/detect/live-case.ts'
import type { TickOptions } from './ticks.ts'
import type { Spent } from './spent.ts'

/** What ticks took, by signal and by windows of history, and how large states are. */

export type Tick = {
  /** Of parts of the minute that were folded before it closed. */
  aheadCpuSeconds: number
  cpuSeconds: number
  wallSeconds: number
  /** Of the process, when the tick was over. */
  memoryMib: number
  findings: number
  spent: Spent
}

/** Bytes a series of each signal's state. */
export type States = ReadonlyMap<string, number>

/** Two seconds on two cores. */
const CPU_SECONDS_MAX = 4
const STATE_BYTES_MAX = 2048
/** By how much ticks may differ for no reason: other work on the machine moves CPU seconds too. */
const HISTORY_FACTOR_MAX = 1.3
const MIB = 2 ** 20

export const measure = async (
  work: () => Promise<number>,
  spent: Spent
): Promise<Omit<Tick, 'aheadCpuSeconds'>> => {
  const before = { cpu: process.cpuUsage(), ms: performance.now() }
  const findings = await work()
  const { user, system } = process.cpuUsage(before.cpu)
  return {
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - before.ms) / 1000,
    memoryMib: process.memoryUsage.rss() / MIB,
    findings,
    spent: new Map(spent)
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

type Print = TickOptions['print']

export const printTick = (print: Print, minute: number, tick: Tick): void =>
  print(
    `minute ${minute}: ${tick.cpuSeconds.toFixed(2)} CPU s, ${tick.wallSeconds.toFixed(2)} s by the clock, ` +
      `${tick.aheadCpuSeconds.toFixed(2)} CPU s before it closed, ` +
      `${tick.memoryMib.toFixed(0)} MiB, ${tick.findings} findings`
  )

/** Bytes a series of each state; a signal watches at most each tenant and each of its models. */
export const readStates = async (
  { engine, lake }: LiveCase,
  { tenants, models }: TickOptions
): Promise<States> => {
  const files = [...((await lake.head()).files.get('fold_states')?.keys() ?? [])]
  const list = files.map((file) => `'${lake.doors.files.location(`fold_states/${file}`)}'`)
  const rows = await engine.rows(
    `SELECT signal, sum(octet_length(bytes))::DOUBLE AS bytes FROM read_parquet([${list.join(', ')}]) GROUP BY 1 ORDER BY 1`
  )
  const series = tenants * (models + 1)
  return new Map(rows.map(({ signal, bytes }) => [String(signal), Number(bytes) / series]))
}

const verdict = (holds: boolean): string => (holds ? 'pass' : 'FAIL')

/** @returns whether every state keeps to its bytes. */
export const reportStates = (states: States, print: Print): boolean => {
  for (const [signal, bytes] of states) {
    const holds = bytes <= STATE_BYTES_MAX
    print(`${verdict(holds)}: state of ${signal}: ${bytes.toFixed(0)} bytes a series`)
  }
  return [...states.values()].every((bytes) => bytes <= STATE_BYTES_MAX)
}

const cpuOf = (ticks: readonly Tick[]): number => median(ticks.map(({ cpuSeconds }) => cpuSeconds))

/** @returns whether the median tick after warm-up keeps to its CPU seconds. */
export const reportTicks = (ticks: readonly Tick[], warm: number, print: Print): boolean => {
  const counted = ticks.slice(warm)
  const names = new Set(counted.flatMap(({ spent }) => [...spent.keys()]))
  for (const name of [...names].sort()) {
    const ms = median(counted.map(({ spent }) => spent.get(name) ?? 0))
    print(`${name}: ${ms.toFixed(0)} ms of CPU a tick`)
  }
  const wall = median(counted.map(({ wallSeconds }) => wallSeconds))
  const worst = Math.max(...counted.map(({ cpuSeconds }) => cpuSeconds))
  const ahead = median(counted.map(({ aheadCpuSeconds }) => aheadCpuSeconds))
  const warmUp = ticks
    .slice(0, warm)
    .reduce((sum, { cpuSeconds, aheadCpuSeconds }) => sum + cpuSeconds + aheadCpuSeconds, 0)
  const holds = cpuOf(counted) <= CPU_SECONDS_MAX
  print(
    `${verdict(holds)}: a tick takes ${cpuOf(counted).toFixed(2)} CPU s (at most ${CPU_SECONDS_MAX}; median of ` +
      `${counted.length}, the dearest ${worst.toFixed(2)}), ${wall.toFixed(2)} s by the clock; ` +
      `parts of the minute before it closed ${ahead.toFixed(2)} CPU s; ` +
      `before, ${warm} ticks of warm-up took ${warmUp.toFixed(2)} CPU s`
  )
  return holds
}

/** Ticks after so much history, by what people call it. */
export type Ages = ReadonlyMap<string, readonly Tick[]>

/** @returns whether ticks take the same, and as much memory, whatever lies behind them. */
export const reportHistory = (ages: Ages, print: Print): boolean => {
  const memoryOf = (ticks: readonly Tick[]): number =>
    median(ticks.map(({ memoryMib }) => memoryMib))
  const [first = []] = ages.values()
  let holds = true
  for (const [age, ticks] of ages) {
    const isLevel = cpuOf(ticks) <= HISTORY_FACTOR_MAX * cpuOf(first)
    holds &&= isLevel
    print(
      `${verdict(isLevel)}: after ${age}: ${cpuOf(ticks).toFixed(2)} CPU s a tick (median of ${ticks.length}), ` +
        `${memoryOf(ticks).toFixed(0)} MiB`
    )
  }
  return holds
}
