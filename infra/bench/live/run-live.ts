import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import {
  openLakeSite,
  openLog,
  type LakeSite,
  type SiteOptions
} from '../../../services/cli/site.ts'
import { LATENESS_MS } from '../../../jobs/detect/watermark.ts'
import { watchAlerts } from './alerts.ts'
import { Latencies } from './latencies.ts'
import { floorsOf, memorySlope, type MemorySample } from './memory-slope.ts'
import { Traffic } from './traffic.ts'
import { startUp, type UpProcess } from './up-process.ts'

const PARTITIONS = 4
const MINUTE_MS = 60_000
/** Flush interval of `tally up` where nothing is said. */
const FLUSH_MS = 5_000
const LOOK_MS = 50
const SAMPLE_MS = 5_000
/**
 * Loops that a run makes, and of a minute at most: enough for a 99th percentile. Each is a tenant of its
 * own, which is remembered for weeks: what a long run keeps of them must not look like a leak.
 */
const LOOPS = 120
const LOOPS_PER_MINUTE_MAX = 20
/** Memory is a line only when caches and the compiler have settled. */
const WARM_SHARE = 1 / 3
/** Three rounds of what works by the minute: within them, nothing is under way now and then. */
const FLOOR_S = 180
/** What alerts of the last minute may take: its end, the lateness, and more than the bar. */
const LAST_ALERTS_MS = MINUTE_MS + LATENESS_MS + 30_000

export type LiveOptions = { place: SiteOptions; rate: number; minutes: number }

/** `tally up` under a steady load: what it takes until events are seen and alerts are heard. */
export const runLive = async ({ place, rate, minutes }: LiveOptions): Promise<object> => {
  const log = openLog(place)
  await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
  const alerts = await watchAlerts(place.data)
  const args = ['--data', place.data, '--alert-config', alerts.config, '--log-level', 'warn']
  const brokers = place.brokers === undefined ? [] : ['--brokers', place.brokers]
  const up = await startUp([...args, ...brokers])
  const site = await openLakeSite(place)
  const traffic = new Traffic(log, PARTITIONS)
  const watch = watchLake(site, traffic, up)
  const loads: number[] = []
  try {
    const before = up.used()
    const startMs = Date.now()
    const samples = sampled(up, () => loads.push(loadavg()[0]!))
    await Promise.race([
      traffic.offer(rate, loopsPerMinute(minutes), startMs + minutes * MINUTE_MS),
      up.failed
    ])
    await settled(() => traffic.appended.length === 0 && alerts.latencies.count >= traffic.loops)
    const cpuS = up.used().cpuS - before.cpuS
    const memory = samples.end()
    return {
      rate,
      minutes,
      log: place.brokers === undefined ? 'embedded' : 'kafka',
      flush_ms: FLUSH_MS,
      events: traffic.events,
      ...watch.latencies.figures('visible_ms'),
      loops: traffic.loops,
      ...alerts.latencies.figures('close_to_alert_ms'),
      cpu_s: Math.round(cpuS * 10) / 10,
      cpu_s_per_million: Math.round((cpuS / traffic.events) * 1e7) / 10,
      ...memoryFigures(memory),
      load_mean: Math.round((loads.reduce((sum, one) => sum + one, 0) / loads.length) * 10) / 10
    }
  } finally {
    watch.end()
    await up.stop()
    site.close()
    await alerts.close()
    await log.close()
  }
}

const loopsPerMinute = (minutes: number): number =>
  Math.min(LOOPS_PER_MINUTE_MAX, Math.ceil(LOOPS / minutes))

/** Memory once it is warm: where it began and ended, and whether it rises. */
const memoryFigures = (memory: readonly MemorySample[]): object => {
  const late = memory.slice(Math.floor(memory.length * WARM_SHARE))
  return {
    memory_mib_first: Math.round(late[0]?.mib ?? 0),
    memory_mib_last: Math.round(late.at(-1)?.mib ?? 0),
    memory_mib_max: Math.round(Math.max(...memory.map(({ mib }) => mib))),
    ...slopeFigures('memory_mib_per_hour', late),
    ...slopeFigures('memory_floor_mib_per_hour', floorsOf(late, FLOOR_S))
  }
}

const slopeFigures = (name: string, samples: readonly MemorySample[]): object => {
  const slope = memorySlope(samples)
  return { [name]: slope?.mibPerHour ?? null, [`${name}_plus_minus`]: slope?.plusMinus ?? null }
}

/** Waits until `holds`, but no longer than the last alerts may take: what is missing is told. */
const settled = async (holds: () => boolean): Promise<void> => {
  const untilMs = Date.now() + LAST_ALERTS_MS
  while (!holds() && Date.now() < untilMs) await sleep(LOOK_MS)
}

/** Events count as visible once a commit covers them: readers of its version see them. */
const watchLake = ({ lake }: LakeSite, traffic: Traffic, up: UpProcess) => {
  const latencies = new Latencies()
  const ending = new AbortController()
  const look = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const { positions } = await lake.head()
      const nowMs = Date.now()
      const isSeen = ({ partition, next }: { partition: number; next: number }): boolean =>
        (positions.get(`${EVENTS_TOPIC}/${partition}`)?.next ?? 0) >= next
      for (const { count, atMs } of traffic.appended.filter(isSeen)) {
        latencies.add(nowMs - atMs, count)
      }
      const left = traffic.appended.filter((one) => !isSeen(one))
      traffic.appended.splice(0, traffic.appended.length, ...left)
      await sleep(LOOK_MS)
    }
  }
  void Promise.race([look(), up.failed]).catch(() => {})
  return { latencies, end: () => ending.abort() }
}

const sampled = (up: UpProcess, also: () => void): { end: () => MemorySample[] } => {
  const startMs = Date.now()
  const samples: MemorySample[] = []
  const timer = setInterval(() => {
    samples.push({ atS: (Date.now() - startMs) / 1000, mib: up.used().mib })
    also()
  }, SAMPLE_MS)
  return {
    end: () => {
      clearInterval(timer)
      return samples
    }
  }
}
