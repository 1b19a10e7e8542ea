import type { Collector, Used } from './collector.ts'
import type { Tally } from './load.ts'

const MS_PER_S = 1000
const SECONDS_PER_MINUTE = 60
/** Often enough for a line through a minute, seldom enough to cost nothing. */
const SAMPLE_S = 5

type Sample = Used & { atS: number }

/** What a collector used during a phase, sampled while it runs. */
export type Usage = {
  seconds: number
  cpu_s: number
  cpu_user_s: number
  /** Memory at each sample: all that is resident, and without the log's mapped file. */
  rss_mib: number[]
  own_mib: number[]
  /** Slope of a line through the second half of the samples: the first is warm-up. */
  rss_mib_per_min: number | null
  own_mib_per_min: number | null
}

export const measure = async (
  collector: Collector,
  run: () => Promise<unknown>
): Promise<Usage> => {
  const startMs = performance.now()
  const sample = (): Sample => ({
    ...collector.used(),
    atS: (performance.now() - startMs) / MS_PER_S
  })
  const first = sample()
  const samples: Sample[] = []
  const timer = setInterval(() => samples.push(sample()), SAMPLE_S * MS_PER_S)
  await run()
  clearInterval(timer)
  const last = sample()
  const user = last.userS - first.userS
  const late = samples.slice(Math.floor(samples.length / 2))
  return {
    seconds: rounded(last.atS),
    cpu_s: rounded(user + last.systemS - first.systemS),
    cpu_user_s: rounded(user),
    rss_mib: samples.map(({ rssMib }) => Math.round(rssMib)),
    own_mib: samples.map(({ ownMib }) => Math.round(ownMib)),
    rss_mib_per_min: slope(late.map(({ atS, rssMib }) => [atS, rssMib])),
    own_mib_per_min: slope(late.map(({ atS, ownMib }) => [atS, ownMib]))
  }
}

/** Least squares, per minute; null where there are too few points for a line. */
const slope = (points: readonly (readonly [number, number])[]): number | null => {
  if (points.length < 3) return null
  const mean = (at: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  const below = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return rounded((above / below) * SECONDS_PER_MINUTE)
}

/** What senders saw during a phase, as figures. */
export const answers = ({ accepted, refused, broken, latenciesMs }: Tally, usage: Usage) => {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const percentile = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN)
  return {
    accepted,
    accepted_per_s: Math.round(accepted / usage.seconds),
    accepted_per_cpu_s: Math.round(accepted / usage.cpu_s),
    refused,
    broken,
    ack_ms_p50: percentile(0.5),
    ack_ms_p99: percentile(0.99)
  }
}

const rounded = (value: number): number => Math.round(value * 10) / 10
