import { createRandom, type Random } from './random.ts'

/**
 * Tenants whose cache hit rate moves for many innocent reasons: the hour, slow drift, noise that
 * lasts minutes, bursts, sessions that hit or miss as one, cold starts. In one of them the rate
 * truly falls at a known minute. One call gives one tenant's non-empty minutes in order.
 */

export const MINUTES_PER_DAY = 1440
/** Days that a detector may learn before its alarms count. */
export const WARM_DAYS = 7

export type Mood = 'noisy' | 'mild'

export type Tenant = {
  ratePerMinute: number
  /** Mean requests of a session: they share fate. */
  sessionRequests: number
  baseLogit: number
  /** Swing over the day: of the logarithm of volume, and of the logit of the rate. */
  volumeSwing: number
  rateSwing: number
  /** Time of the daily peak, as a share of the day. */
  phase: number
  latentSd: number
  latentPersistence: number
  driftPerDay: number
  coldStartsPerDay: number
}

/** Sums of one minute, as a window row has them. */
export type HitWindow = { minute: number; n: number; w: number; h: number; ww: number; x: number }

export type Change = { minute: number; factor: number }

const BASE_LOGIT = Math.log(0.816 / 0.184)

export const drawTenants = (count: number, mood: Mood, seed: number): Tenant[] => {
  const random = createRandom(seed)
  const between = (low: number, high: number): number => low + (high - low) * random.uniform()
  const noisy = mood === 'noisy'
  return Array.from({ length: count }, () => ({
    ratePerMinute: Math.min(120, Math.max(0.02, Math.exp(1.7 * random.normal()))),
    sessionRequests: 1 + random.exponential(noisy ? 2 : 0.2),
    baseLogit: BASE_LOGIT + 0.35 * random.normal(),
    volumeSwing: between(0.4, 1.1),
    rateSwing: between(0, noisy ? 0.45 : 0.2),
    phase: random.uniform(),
    latentSd: noisy ? between(0.1, 0.35) : between(0.02, 0.08),
    latentPersistence: noisy ? between(0.8, 0.95) : between(0.5, 0.8),
    driftPerDay: noisy ? between(0, 0.1) : between(0, 0.02),
    coldStartsPerDay: noisy ? random.exponential(0.2) : 0
  }))
}

export type Run = { tenant: Tenant; days: number; change: Change | null; seed: number }

/** Plays a tenant; `visit` gets each non-empty minute (the same object every time). */
export const playTenant = (run: Run, visit: (window: HitWindow) => void): void => {
  const random = createRandom(run.seed)
  const state: State = { walk: 0, latent: 0, burst: 1, coldMinutes: 0 }
  const window: HitWindow = { minute: 0, n: 0, w: 0, h: 0, ww: 0, x: 0 }
  for (let minute = 0; minute < run.days * MINUTES_PER_DAY; minute++) {
    drift(run.tenant, state, random, minute)
    const cosine = Math.cos(
      2 * Math.PI * ((minute % MINUTES_PER_DAY) / MINUTES_PER_DAY - run.tenant.phase)
    )
    const sessions = random.poisson(
      volume(run.tenant, state, minute, cosine) / run.tenant.sessionRequests
    )
    if (sessions === 0) continue
    const rate = hitRate(run, state, minute, cosine)
    fill(window, random, { minute, sessions, rate, requests: run.tenant.sessionRequests })
    visit(window)
  }
}

type State = { walk: number; latent: number; burst: number; coldMinutes: number }

const BURST_MINUTES = 10
/** Cold starts last one to four minutes, as in the reference world. */
const COLD_MINUTES_MAX = 4

const drift = (tenant: Tenant, state: State, random: Random, minute: number): void => {
  const { latentPersistence: phi, latentSd } = tenant
  if (minute % MINUTES_PER_DAY === 0) state.walk += tenant.driftPerDay * random.normal()
  if (minute % BURST_MINUTES === 0) state.burst = random.gamma(4, 0.25)
  state.latent = phi * state.latent + Math.sqrt(1 - phi * phi) * latentSd * random.normal()
  if (state.coldMinutes > 0) state.coldMinutes -= 1
  else if (random.uniform() < tenant.coldStartsPerDay / MINUTES_PER_DAY) {
    state.coldMinutes = 1 + Math.floor(random.uniform() * COLD_MINUTES_MAX)
  }
}

const volume = (tenant: Tenant, state: State, minute: number, cosine: number): number => {
  const { ratePerMinute, volumeSwing: swing } = tenant
  const weekend = Math.floor(minute / MINUTES_PER_DAY) % 7 >= 5
  const level = (ratePerMinute * Math.exp(swing * cosine)) / (1 + 0.25 * swing * swing)
  return level * state.burst * (weekend ? 0.5 : 1)
}

const COLD_FACTOR = 0.25

const hitRate = ({ tenant, change }: Run, state: State, minute: number, cosine: number): number => {
  const logit = tenant.baseLogit + state.walk + state.latent + tenant.rateSwing * cosine
  const rate = (1 / (1 + Math.exp(-logit))) * (state.coldMinutes > 0 ? COLD_FACTOR : 1)
  return change !== null && minute >= change.minute ? rate * change.factor : rate
}

type Traffic = { minute: number; sessions: number; rate: number; requests: number }

/** Prompts are log-normal (coefficient of variation 1.31); a hit serves 61 to 100 % of one. */
const fill = (window: HitWindow, random: Random, traffic: Traffic): void => {
  window.minute = traffic.minute
  window.n = window.w = window.h = window.ww = window.x = 0
  for (let session = 0; session < traffic.sessions; session++) {
    const hit = random.uniform() < traffic.rate
    do {
      const tokens = Math.ceil(Math.exp(8 + random.normal()))
      const share = hit ? 1 - 0.39 * random.uniform() ** 2 : 0
      window.n += 1
      window.w += tokens
      window.h += Math.floor(tokens * share)
      window.ww += tokens * tokens
      window.x += share
    } while (random.uniform() >= 1 / traffic.requests)
  }
}
