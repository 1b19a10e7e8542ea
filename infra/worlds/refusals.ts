import { identityOf } from '../../services/signals/statistics/identity.ts'
import type { GrainRow } from './grain-rows.ts'
import { createRandom, type Random } from './random.ts'

/**
 * Requests that pass an input guardrail, a model and an output guardrail, one after the other; some
 * are refused and asked once more. Latency follows the load, with noise that lasts minutes. At a
 * known minute a stage gets slower.
 */

export type GuardedTenant = {
  requestsPerMinute: number
  refusedShare: number
  latencySwing: number
  latentSd: number
  phase: number
}

export type GuardedChange = {
  minute: number
  stage: 'input-guard' | 'model' | 'output-guard'
  factor: number
}

const MINUTES_PER_DAY = 1440
const MINUTE_MS = 60_000
const STAGE_MS = {
  'input-guard': 200,
  model: 2000,
  'output-guard': 300,
  reformulation: 900
} as const
const STAGE_SD = 0.35
type Stage = keyof typeof STAGE_MS

export const drawGuardedTenants = (count: number, seed: number): GuardedTenant[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => ({
    requestsPerMinute: Math.min(6, Math.max(0.1, Math.exp(-0.3 + random.normal()))),
    refusedShare: 0.03 + 0.2 * random.uniform(),
    latencySwing: 0.15 * random.uniform(),
    latentSd: 0.1 * random.uniform(),
    phase: random.uniform()
  }))
}

export type GuardedRun = {
  tenant: GuardedTenant
  startMs: number
  days: number
  change: GuardedChange | null
  seed: number
}

/** `rows` are steps as the signal's grain has them; `meanMs` is the mean time of a request. */
export const playRefusals = (
  { tenant, startMs, days, change, seed }: GuardedRun,
  visit: (minuteMs: number, rows: GrainRow[], meanMs: number | null) => void
): void => {
  const random = createRandom(seed)
  let latent = 0
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    latent = 0.95 * latent + 0.31 * tenant.latentSd * random.normal()
    const wave = Math.cos(2 * Math.PI * (minute / MINUTES_PER_DAY - tenant.phase))
    const requests = random.poisson(tenant.requestsPerMinute * Math.exp(0.7 * wave - 0.12))
    const active = change !== null && minute >= change.minute ? change : null
    const minuteMs = startMs + minute * MINUTE_MS
    const level = Math.exp(tenant.latencySwing * wave + latent)
    const traces = Array.from({ length: requests }, (_, n) =>
      trace(random, tenant, {
        id: `${minute}-${n}`,
        // Steps of one minute stay in it: what straddles two is the conformance tests' business.
        beganMs: minuteMs + Math.floor((n * MINUTE_MS) / requests),
        level,
        change: active
      })
    )
    const mean = traces.reduce((sum, { totalMs }) => sum + totalMs, 0) / requests
    const rows = traces.flatMap((one) => one.rows)
    visit(minuteMs, rows, requests === 0 ? null : mean)
  }
}

type Request = { id: string; beganMs: number; level: number; change: GuardedChange | null }

const trace = (random: Random, { refusedShare }: GuardedTenant, request: Request) => {
  const isRefused = random.uniform() < refusedShare
  const stages: Stage[] = isRefused
    ? ['input-guard', 'reformulation']
    : ['input-guard', 'model', 'output-guard']
  let now = request.beganMs
  const rows = stages.map((stage): GrainRow => {
    const factor = request.change?.stage === stage ? request.change.factor : 1
    const median = STAGE_MS[stage] * request.level * factor
    const duration = Math.round(median * Math.exp(STAGE_SD * random.normal()))
    const startedMs = now
    now += duration
    return {
      tenant: 'acme',
      id: `${request.id}-${stage}`,
      trace: identityOf(request.id),
      kind: stage === 'model' || stage === 'reformulation' ? 'llm' : 'guardrail',
      name: stage === 'model' || stage === 'reformulation' ? null : stage,
      time_ms: startedMs,
      duration_ms: duration,
      refused: isRefused && stage === 'input-guard' ? 1 : 0,
      cost_pico: 0
    }
  })
  return { rows, totalMs: now - request.beganMs }
}
