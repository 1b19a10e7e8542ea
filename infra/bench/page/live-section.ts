import { grouped, readLines, table } from './results.ts'

type Live = {
  /** Day on which it began, in UTC: runs of an hour are not repeated with each of minutes. */
  date: string
  nice: number
  rate: number
  minutes: number
  log: string
  flush_ms: number
  events: number
  visible_ms_p50: number | null
  visible_ms_p99: number | null
  loops: number
  close_to_alert_ms_n: number
  close_to_alert_ms_p50: number | null
  close_to_alert_ms_p99: number | null
  cpu_s_per_million: number
  memory_mib_first: number
  memory_mib_last: number
  memory_mib_max: number
  memory_mib_per_hour: number | null
  memory_mib_per_hour_plus_minus: number | null
  memory_floor_mib_per_hour: number | null
  memory_floor_mib_per_hour_plus_minus: number | null
  load_mean: number
}

/** What an alert may take beyond the flush interval, from the close of its window. */
const BEYOND_FLUSH_MS = 2_000
const shown = (ms: number | null): string => (ms === null ? '–' : grouped(ms))

export const latencySection = async (folder: string): Promise<string | null> => {
  const lines = await readLines<Live>(folder, 'live.ndjson')
  if (lines === null) return null
  const rows = lines.map((live) => [
    `${grouped(live.rate)} events/s for ${live.minutes} min, ${live.log}`,
    shown(live.visible_ms_p50),
    shown(live.visible_ms_p99),
    shown(live.close_to_alert_ms_p50),
    shown(live.close_to_alert_ms_p99),
    `${live.close_to_alert_ms_n} of ${live.loops}`,
    verdict(live),
    `${live.load_mean}, priority ${-live.nice}`,
    live.date
  ])
  const times = ['visible p50', 'p99', 'alert p50', 'p99']
  return table(['load', ...times, 'heard', 'bar', 'machine load', 'date'], rows)
}

const verdict = ({ flush_ms: flush, close_to_alert_ms_p99: p99, ...live }: Live): string => {
  const isHeard = p99 !== null && live.close_to_alert_ms_n >= live.loops
  return isHeard && p99 <= flush + BEYOND_FLUSH_MS ? 'reached' : '**missed**'
}

const slope = (mib: number | null, plusMinus: number | null): string =>
  mib === null ? '–' : `${mib} ± ${plusMinus}`

export const memorySection = async (folder: string): Promise<string | null> => {
  const lines = await readLines<Live>(folder, 'live.ndjson')
  if (lines === null) return null
  const rows = lines.map((live) => [
    `${grouped(live.rate)} events/s for ${live.minutes} min`,
    String(live.memory_mib_first),
    String(live.memory_mib_last),
    String(live.memory_mib_max),
    slope(live.memory_mib_per_hour, live.memory_mib_per_hour_plus_minus),
    slope(live.memory_floor_mib_per_hour, live.memory_floor_mib_per_hour_plus_minus),
    live.cpu_s_per_million.toFixed(1),
    live.date
  ])
  const heads = [
    'load',
    'MiB after warm-up',
    'at the end',
    'most',
    'MiB an hour, 95 %',
    'of the least of 3 minutes',
    'CPU-s per million',
    'date'
  ]
  return table(heads, rows)
}
