import type { DifferingCall } from './call.ts'
import type { Verdict } from './identities.ts'

/** Sums over the calls of one cause: all that a finding needs of them. */
export type Tally = {
  calls: number
  meteredPico: number
  statedPico: number
  /** Sum and square sum of the logarithm of stated to metered cost. */
  logRatio: number
  logRatio2: number
  /** Σ share of the class concerned, over calls that have one. */
  share: number
  shared: number
  /** Calls whose statement gives its token part. */
  split: number
  firstMs: number
  lastMs: number
  /** Extra pico-dollars of the tenants with most calls; bounded. */
  tenants: Record<string, number>
}

/** Tenants kept per cause: those first seen, which is enough to know whom to ask. */
const TENANTS_MAX = 8

export const emptyTally = (): Tally => ({
  calls: 0,
  meteredPico: 0,
  statedPico: 0,
  logRatio: 0,
  logRatio2: 0,
  share: 0,
  shared: 0,
  split: 0,
  firstMs: Infinity,
  lastMs: 0,
  tenants: {}
})

/** What a row says beside the call itself. */
export type Sighting = {
  call: DifferingCall
  tenant: string | null
  timeMs: number
  /** Calls that this one stands for. */
  weight: number
}

export const addCall = (tally: Tally, sighting: Sighting, verdict: Verdict | null): void => {
  const { call, tenant, timeMs, weight } = sighting
  const ratio = Math.log(Math.max(call.stated, 1) / Math.max(call.metered, 1))
  tally.calls += weight
  tally.meteredPico += weight * call.metered
  tally.statedPico += weight * call.stated
  tally.logRatio += weight * ratio
  tally.logRatio2 += weight * ratio * ratio
  if (verdict?.share != null) {
    tally.share += weight * verdict.share
    tally.shared += weight
  }
  if (call.statedTokens !== null) tally.split += weight
  tally.firstMs = Math.min(tally.firstMs, timeMs)
  tally.lastMs = Math.max(tally.lastMs, timeMs)
  if (tenant === null) return
  const isKnown = tally.tenants[tenant] !== undefined
  if (!isKnown && Object.keys(tally.tenants).length >= TENANTS_MAX) return
  tally.tenants[tenant] = (tally.tenants[tenant] ?? 0) + weight * (call.stated - call.metered)
}

export const mergeTally = (into: Tally, from: Tally): void => {
  into.calls += from.calls
  into.meteredPico += from.meteredPico
  into.statedPico += from.statedPico
  into.logRatio += from.logRatio
  into.logRatio2 += from.logRatio2
  into.share += from.share
  into.shared += from.shared
  into.split += from.split
  into.firstMs = Math.min(into.firstMs, from.firstMs)
  into.lastMs = Math.max(into.lastMs, from.lastMs)
  for (const [tenant, extra] of Object.entries(from.tenants)) {
    const isKnown = into.tenants[tenant] !== undefined
    if (!isKnown && Object.keys(into.tenants).length >= TENANTS_MAX) continue
    into.tenants[tenant] = (into.tenants[tenant] ?? 0) + extra
  }
}

/** Relative spread of stated to metered cost: near 0 when one factor explains all calls. */
export const ratioSpread = ({ calls, logRatio, logRatio2 }: Tally): number => {
  const mean = logRatio / calls
  return Math.sqrt(Math.max(0, logRatio2 / calls - mean * mean))
}
