import type { Columns, Minute } from '../../services/signals/define.ts'
import { createRandom, type Random } from './random.ts'

/**
 * Tenants whose traffic, latency and errors follow the hour and the weekday, with noise that lasts
 * minutes and days that differ. At a known minute something truly changes; or quality itself has a
 * daily wave, and nothing does.
 */

export type DiurnalTenant = {
  callsPerMinute: number
  /** Swing of volume over the day, as a logarithm, and of latency with volume. */
  volumeSwing: number
  latencySwing: number
  phase: number
  weekendVolume: number
  latentSd: number
  dayWalk: number
  throttledShare: number
  /** Format failures, and how many times more there are at the worst hour. */
  failedShare: number
  failedWave: number
}

export type DiurnalChange = {
  minute: number
  /** Factors on latency and on the shares of throttled calls and format failures. */
  latency: number
  throttled: number
  failed: number
}

export type DiurnalRun = {
  tenant: DiurnalTenant
  startMs: number
  days: number
  change: DiurnalChange | null
  seed: number
  /** Calls expected in a minute; absent = the tenant's own wave. */
  volume?: (minute: number) => number
}

const MINUTES_PER_DAY = 1440
const MINUTE_MS = 60_000
/** A step is 10 % of duration, as in the signal's SQL. */
const STEP_LOG = 5 * Math.log(1.02)
const LATENCY_SD = 0.5
const LATENCY_MS = 1500

export const drawDiurnalTenants = (count: number, seed: number): DiurnalTenant[] => {
  const random = createRandom(seed)
  const between = (low: number, high: number): number => low + (high - low) * random.uniform()
  return Array.from({ length: count }, () => ({
    callsPerMinute: Math.min(30, Math.max(0.1, Math.exp(1.2 * random.normal()))),
    volumeSwing: between(0.3, 1.1),
    latencySwing: between(0, 0.35),
    phase: random.uniform(),
    weekendVolume: between(0.3, 1),
    latentSd: between(0.02, 0.15),
    dayWalk: between(0, 0.02),
    throttledShare: between(0, 0.03),
    failedShare: between(0.005, 0.05),
    failedWave: 1
  }))
}

/** What a minute held, as the signal's grain gives it: calls by latency step, and bad ones. */
export type DiurnalMinute = {
  minute: number
  calls: number
  steps: ReadonlyMap<number, number>
  /** Σ ln of latency over the expected hour's, for rules that know means alone. */
  logMs: number
  throttled: number
  failed: number
}

export const playDiurnal = (run: DiurnalRun, visit: (one: DiurnalMinute) => void): void => {
  const { tenant, days, change } = run
  const random = createRandom(run.seed)
  const state = { walk: 0, latent: 0 }
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    if (minute % MINUTES_PER_DAY === 0) state.walk += tenant.dayWalk * random.normal()
    state.latent = 0.95 * state.latent + 0.31 * tenant.latentSd * random.normal()
    const load = loadOf(run, minute)
    const calls = random.poisson(load * tenant.callsPerMinute * random.gamma(6, 1 / 6))
    if (calls === 0) continue
    const active = change !== null && minute >= change.minute ? change : null
    const wave = Math.cos(2 * Math.PI * (minute / MINUTES_PER_DAY - tenant.phase))
    const level =
      Math.log(LATENCY_MS) +
      tenant.latencySwing * Math.log(Math.max(0.05, load)) +
      state.walk +
      state.latent +
      Math.log(active?.latency ?? 1)
    const throttled = tenant.throttledShare * Math.max(0.2, load) * (active?.throttled ?? 1)
    const failed =
      tenant.failedShare * tenant.failedWave ** ((1 + wave) / 2) * (active?.failed ?? 1)
    visit({ minute, calls, ...drawCalls(random, { calls, level, throttled, failed }) })
  }
}

/** Volume against its mean: the tenant's own wave, or what a trace says. */
const loadOf = ({ tenant, volume }: DiurnalRun, minute: number): number => {
  if (volume !== undefined) return volume(minute)
  const weekend = Math.floor(minute / MINUTES_PER_DAY) % 7 >= 5
  const wave = Math.cos(2 * Math.PI * (minute / MINUTES_PER_DAY - tenant.phase))
  return Math.exp(tenant.volumeSwing * wave) * (weekend ? tenant.weekendVolume : 1)
}

type Shares = { calls: number; level: number; throttled: number; failed: number }

const drawCalls = (random: Random, { calls, level, throttled, failed }: Shares) => {
  const steps = new Map<number, number>()
  let [logMs, nThrottled, nFailed] = [0, 0, 0]
  for (let call = 0; call < calls; call++) {
    const log = level + LATENCY_SD * random.normal()
    const step = Math.floor(log / STEP_LOG)
    steps.set(step, (steps.get(step) ?? 0) + 1)
    logMs += log
    if (random.uniform() < Math.min(0.9, throttled)) nThrottled += 1
    if (random.uniform() < Math.min(0.9, failed)) nFailed += 1
  }
  return { steps, logMs, throttled: nThrottled, failed: nFailed }
}

const SERIES = ['latency', 'degraded', 'format_failures'].map((what) => ['acme', 'p', 'm', what])

/** The minute as the signal reads it. */
export const diurnalMinute = (startMs: number, one: DiurnalMinute): Minute => {
  const steps = [...one.steps].sort(([a], [b]) => a - b)
  const { calls } = one
  const columns: Columns = {
    rows: steps.length + 2,
    series: Int32Array.from([...steps.map(() => 0), 1, 2]),
    keys: SERIES,
    measures: {
      step: Float64Array.from([...steps.map(([step]) => step), NaN, NaN]),
      n: Float64Array.from([...steps.map(([, n]) => n), calls, calls]),
      bad: Float64Array.from([...steps.map(() => NaN), one.throttled, one.failed])
    },
    texts: {}
  }
  return { startMs: startMs + one.minute * MINUTE_MS, grains: { window: columns } }
}
