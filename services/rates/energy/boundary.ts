import type { HalfWidth } from './factors.ts'
import { combineHalfWidths, type Interval } from './interval.ts'

/**
 * From the GPU boards outwards: the whole host (processor, memory, fans) and the site (cooling and
 * conversion). Idle capacity is its own line, never folded into a call.
 */
export type BoundaryEnergy = {
  gpu: Interval
  host: Interval
  site: Interval
  /** Capacity that stands ready for such calls, at the site boundary. */
  idle: Interval
}

type Multiplier = HalfWidth & { value: number }

const range = (value: number, low: number, high: number): Multiplier => ({
  value,
  below: Math.log(value / low),
  above: Math.log(high / value)
})

// Google's shares of a prompt: 58 % accelerators, 25 % host (arXiv:2508.15734): 1.43; fleets with
// lean hosts reach 1.2.
const HOST = range(1.35, 1.2, 1.6)
// 10 % of the energy of a production fleet was idle (same source); self-hosted fleets idle more.
const IDLE_SHARE = 0.12
const IDLE_HIGH = 0.3
const IDLE_LOW = 0.02

/** Power usage effectiveness as operators report it; `default` spans hyperscale to the 2025 mean. */
const PUE: Readonly<Record<string, Multiplier>> = {
  gcp: range(1.09, 1.07, 1.15),
  aws: range(1.14, 1.08, 1.25),
  azure: range(1.18, 1.12, 1.3),
  default: range(1.2, 1.09, 1.54)
}

/** The cloud whose reported PUE applies to a provider's name, or `default`. */
export const pueCloud = (provider: string | null | undefined): string => {
  const name = provider?.toLowerCase() ?? ''
  if (/gcp|google|vertex|gemini/.test(name)) return 'gcp'
  if (/aws|bedrock|amazon/.test(name)) return 'aws'
  return /azure|microsoft/.test(name) ? 'azure' : 'default'
}

const widthOf = ({ low, mid, high }: Interval): HalfWidth =>
  mid > 0 ? { below: Math.log(mid / low), above: Math.log(high / mid) } : { below: 0, above: 0 }

/** Multiplies an interval by an uncertain factor; errors add as squares of logarithms. */
export const multiplied = (energy: Interval, by: Multiplier): Interval => {
  const width = combineHalfWidths([widthOf(energy), by])
  const mid = energy.mid * by.value
  return { low: mid * Math.exp(-width.below), mid, high: mid * Math.exp(width.above) }
}

/** Energy of a call at every boundary, J. */
export const boundaryEnergy = (gpu: Interval, provider?: string | null): BoundaryEnergy => {
  const host = multiplied(gpu, HOST)
  const site = multiplied(host, PUE[pueCloud(provider)] ?? range(1.2, 1.09, 1.54))
  return { gpu, host, site, idle: multiplied(site, range(IDLE_SHARE, IDLE_LOW, IDLE_HIGH)) }
}
