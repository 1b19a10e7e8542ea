import type { GrainRow } from './grain-rows.ts'
import { createRandom, type Random } from './random.ts'

/**
 * A feature made of parts: an agent that asks a model, a tool and an index. Parts fail a little,
 * more at peak, in bursts of minutes when a provider hiccups; the agent fails with its parts. At a
 * known minute one part begins to fail for good.
 */

export type FailureTenant = {
  requestsPerMinute: number
  baseShare: number
  burstsPerDay: number
  phase: number
}

export type FailureChange = { minute: number; kind: 'llm' | 'tool' | 'retrieval'; share: number }

const PARTS = ['llm', 'tool', 'retrieval'] as const
const NAMES = { llm: null, tool: 'calendar', retrieval: 'kb-search', agent: 'assistant' } as const
const MINUTES_PER_DAY = 1440
/** Bursts of a healthy part pass by themselves within minutes. */
const BURST_MINUTES_MAX = 3
/** A burst fails this share at most. */
const BURST_SHARE = 0.3

export const drawFailureTenants = (count: number, seed: number): FailureTenant[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => ({
    requestsPerMinute: Math.min(30, Math.max(0.1, Math.exp(1.2 * random.normal()))),
    baseShare: 0.002 + 0.02 * random.uniform(),
    burstsPerDay: random.exponential(0.3),
    phase: random.uniform()
  }))
}

export type FailureRun = {
  tenant: FailureTenant
  days: number
  change: FailureChange | null
  seed: number
}

/** `rows` are those of the signal's grain; `failed` is the share of the agent's runs that failed. */
export const playFailures = (
  { tenant, days, change, seed }: FailureRun,
  visit: (minute: number, rows: GrainRow[], failed: number) => void
): void => {
  const random = createRandom(seed)
  let burst = { part: -1, minutes: 0, share: 0 }
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    burst = nextBurst(burst, tenant, random)
    const wave = Math.cos(2 * Math.PI * (minute / MINUTES_PER_DAY - tenant.phase))
    const requests = random.poisson(tenant.requestsPerMinute * Math.exp(0.8 * wave - 0.15))
    if (requests === 0) continue
    const shares = PARTS.map((kind, part) => {
      const isBroken = change !== null && minute >= change.minute && change.kind === kind
      const base = tenant.baseShare * (1 + 0.5 * wave)
      return Math.max(base, burst.part === part ? burst.share : 0, isBroken ? change.share : 0)
    })
    const failures = shares.map(() => 0)
    let agentFailures = 0
    for (let request = 0; request < requests; request++) {
      const part = shares.findIndex((share) => random.uniform() < share)
      if (part < 0) continue
      failures[part]! += 1
      agentFailures += 1
    }
    const rows = PARTS.map((kind, part) => row(kind, requests, failures[part]!))
    visit(minute, [...rows, row('agent', requests, agentFailures)], agentFailures / requests)
  }
}

type Burst = { part: number; minutes: number; share: number }

const nextBurst = (burst: Burst, { burstsPerDay }: FailureTenant, random: Random): Burst => {
  if (burst.minutes > 1) return { ...burst, minutes: burst.minutes - 1 }
  if (random.uniform() >= burstsPerDay / MINUTES_PER_DAY) return { part: -1, minutes: 0, share: 0 }
  return {
    part: random.integer(0, PARTS.length),
    minutes: 1 + random.integer(0, BURST_MINUTES_MAX),
    share: BURST_SHARE * random.uniform()
  }
}

const row = (kind: keyof typeof NAMES, n: number, failed: number): GrainRow => ({
  tenant: 'acme',
  kind,
  name: NAMES[kind],
  provider: kind === 'llm' ? 'p' : null,
  model: kind === 'llm' ? 'm' : null,
  n,
  failed,
  throttled: 0,
  cost_pico: 0
})
