import { createRandom, type Random } from './random.ts'
import { MINUTES_PER_DAY, type Mood } from './hit-rate.ts'

/**
 * Tenants of whose calls a share goes wrong: retried, off its schema, answered by another model.
 * The share moves for innocent reasons: the hour, slow drift, noise that lasts minutes, sessions
 * that go wrong as one, hiccups of a few minutes. In one of them it truly rises at a known minute.
 */

export type ShareTenant = {
  ratePerMinute: number
  /** Mean calls of a session, and the share of sessions that go wrong (or right) as one. */
  sessionCalls: number
  clustered: number
  baseLogit: number
  volumeSwing: number
  shareSwing: number
  phase: number
  latentSd: number
  latentPersistence: number
  driftPerDay: number
  hiccupsPerDay: number
}

/** Trials and bad ones of one minute. */
export type ShareWindow = { minute: number; n: number; k: number }

/** From this minute on the odds of going wrong are this many times as large. */
export type Rise = { minute: number; odds: number }

export const logit = (share: number): number => Math.log(share / (1 - share))

export const drawShareTenants = (
  count: number,
  { mood, share, seed }: { mood: Mood; share: number; seed: number }
): ShareTenant[] => {
  const random = createRandom(seed)
  const between = (low: number, high: number): number => low + (high - low) * random.uniform()
  const noisy = mood === 'noisy'
  return Array.from({ length: count }, () => ({
    ratePerMinute: Math.min(120, Math.max(0.02, Math.exp(1.7 * random.normal()))),
    sessionCalls: 1 + random.exponential(noisy ? 2 : 0.2),
    clustered: noisy ? between(0.2, 0.8) : 0.1,
    baseLogit: logit(share) + 0.5 * random.normal(),
    volumeSwing: between(0.4, 1.1),
    shareSwing: between(0, noisy ? 0.45 : 0.2),
    phase: random.uniform(),
    latentSd: noisy ? between(0.1, 0.35) : between(0.02, 0.08),
    latentPersistence: noisy ? between(0.8, 0.95) : between(0.5, 0.8),
    driftPerDay: noisy ? between(0, 0.1) : between(0, 0.02),
    hiccupsPerDay: noisy ? random.exponential(0.2) : 0
  }))
}

export type ShareRun = { tenant: ShareTenant; days: number; rise: Rise | null; seed: number }

/** Plays a tenant; `visit` gets each non-empty minute (the same object every time). */
export const playShare = (run: ShareRun, visit: (window: ShareWindow) => void): void => {
  const random = createRandom(run.seed)
  const state: State = { walk: 0, latent: 0, burst: 1, hiccupMinutes: 0 }
  const window: ShareWindow = { minute: 0, n: 0, k: 0 }
  for (let minute = 0; minute < run.days * MINUTES_PER_DAY; minute++) {
    drift(run.tenant, state, random, minute)
    const day = (minute % MINUTES_PER_DAY) / MINUTES_PER_DAY
    const cosine = Math.cos(2 * Math.PI * (day - run.tenant.phase))
    const calls = volume(run.tenant, state, minute, cosine)
    const sessions = random.poisson(calls / run.tenant.sessionCalls)
    if (sessions === 0) continue
    window.minute = minute
    window.n = window.k = 0
    fill(window, random, {
      sessions,
      tenant: run.tenant,
      share: shareOf(run, state, minute, cosine)
    })
    visit(window)
  }
}

type State = { walk: number; latent: number; burst: number; hiccupMinutes: number }

const BURST_MINUTES = 10
/** Hiccups last one to four minutes. */
const HICCUP_MINUTES_MAX = 4
/** Odds by which a hiccup makes calls go wrong. */
const HICCUP_ODDS = 10

const drift = (tenant: ShareTenant, state: State, random: Random, minute: number): void => {
  const { latentPersistence: phi, latentSd } = tenant
  if (minute % MINUTES_PER_DAY === 0) state.walk += tenant.driftPerDay * random.normal()
  if (minute % BURST_MINUTES === 0) state.burst = random.gamma(4, 0.25)
  state.latent = phi * state.latent + Math.sqrt(1 - phi * phi) * latentSd * random.normal()
  if (state.hiccupMinutes > 0) state.hiccupMinutes -= 1
  else if (random.uniform() < tenant.hiccupsPerDay / MINUTES_PER_DAY) {
    state.hiccupMinutes = random.integer(1, HICCUP_MINUTES_MAX + 1)
  }
}

const volume = (tenant: ShareTenant, state: State, minute: number, cosine: number): number => {
  const { ratePerMinute, volumeSwing: swing } = tenant
  const weekend = Math.floor(minute / MINUTES_PER_DAY) % 7 >= 5
  const level = (ratePerMinute * Math.exp(swing * cosine)) / (1 + 0.25 * swing * swing)
  return level * state.burst * (weekend ? 0.5 : 1)
}

const shareOf = (
  { tenant, rise }: ShareRun,
  state: State,
  minute: number,
  cosine: number
): number => {
  const hiccup = state.hiccupMinutes > 0 ? Math.log(HICCUP_ODDS) : 0
  const risen = rise !== null && minute >= rise.minute ? Math.log(rise.odds) : 0
  const sum = tenant.baseLogit + state.walk + state.latent + tenant.shareSwing * cosine
  return 1 / (1 + Math.exp(-(sum + hiccup + risen)))
}

type Traffic = { sessions: number; tenant: ShareTenant; share: number }

const fill = (window: ShareWindow, random: Random, { sessions, tenant, share }: Traffic): void => {
  for (let session = 0; session < sessions; session++) {
    const asOne = random.uniform() < tenant.clustered
    const fate = random.uniform() < share
    do {
      window.n += 1
      if (asOne ? fate : random.uniform() < share) window.k += 1
    } while (random.uniform() >= 1 / tenant.sessionCalls)
  }
}
