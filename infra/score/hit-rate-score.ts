import { SETTINGS, tenantSettings } from '../../services/signals/cache-thrash/settings.ts'
import { addRate, observeRate } from '../../services/signals/statistics/rate-detector.ts'
import { createRates } from '../../services/signals/statistics/rate-record.ts'
import {
  drawTenants,
  MINUTES_PER_DAY,
  playTenant,
  WARM_DAYS,
  type Change,
  type HitWindow,
  type Mood,
  type Tenant
} from '../worlds/hit-rate.ts'
import { naiveRules, type NaiveRule } from './naive-rules.ts'

/** False findings per tenant-month, and delays to two real falls, by traffic. */

export type HitRateWorld = { mood: Mood; tenants: number; days: number; seed: number }

const STRATA = [
  { name: '≥ 10/min', from: 10, to: Infinity },
  { name: '1-10/min', from: 1, to: 10 },
  { name: '0.1-1/min', from: 0.1, to: 1 }
] as const
const FALLS = [
  { name: '71→18 %', factor: 18 / 71, seed: 1 },
  { name: '71→60 %', factor: 60 / 71, seed: 2 }
] as const
const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-03-02T00:00:00Z')
/** A rule that fires again within the hour tells the same thing. */
const MUTE_MINUTES = 60
const DAYS_PER_MONTH = 30

const ours = (): NaiveRule => {
  const records = createRates()
  addRate(records, START_MS)
  const settings = tenantSettings(SETTINGS, 1)
  return {
    name: 'cache-thrash',
    observe: (window) => {
      const step = { sample: { ...window, cost: 0 }, ms: START_MS + window.minute * MINUTE_MS }
      return observeRate(records, 0, step, settings) === 'opened'
    }
  }
}

const rulesOf = (): NaiveRule[] => [ours(), ...naiveRules()]

/** Minutes at which each rule fired, muted for an hour after each. */
const firings = (tenant: Tenant, days: number, change: Change | null, seed: number): number[][] => {
  const rules = rulesOf()
  const fired: number[][] = rules.map(() => [])
  const observe = (window: HitWindow): void => {
    for (const [index, rule] of rules.entries()) {
      const last = fired[index]!.at(-1) ?? -Infinity
      if (rule.observe(window) && window.minute - last >= MUTE_MINUTES) {
        fired[index]!.push(window.minute)
      }
    }
  }
  playTenant({ tenant, days, change, seed }, observe)
  return fired
}

/** Table rows as Markdown: one per rule. */
export const scoreHitRate = (world: HitRateWorld): string[] => {
  const tenants = drawTenants(world.tenants, world.mood, 7 + world.seed)
  const months = (world.tenants * world.days) / DAYS_PER_MONTH
  const alarms = rulesOf().map(() => 0)
  for (const [index, tenant] of tenants.entries()) {
    const seed = 1000 + world.seed * 100_003 + index
    const fired = firings(tenant, WARM_DAYS + world.days, null, seed)
    for (const [rule, minutes] of fired.entries()) {
      alarms[rule]! += minutes.filter((minute) => minute >= WARM_DAYS * MINUTES_PER_DAY).length
    }
  }
  const delays = FALLS.map((fall) => delaysOf(tenants, world, fall))
  return rulesOf().map(({ name }, rule) => {
    const cells = delays.map((byRule) => cell(byRule[rule]!)).join(' | ')
    return `| ${name} | ${(alarms[rule]! / months).toFixed(4)} | ${cells} |`
  })
}

type Delays = number[][]

/** Per rule and stratum: minutes from the change to the end of the window that fired. */
const delaysOf = (
  tenants: readonly Tenant[],
  world: HitRateWorld,
  fall: (typeof FALLS)[number]
): Delays[] => {
  const delays: Delays[] = rulesOf().map(() => STRATA.map(() => []))
  for (const [index, tenant] of tenants.entries()) {
    const stratum = STRATA.findIndex(
      ({ from, to }) => tenant.ratePerMinute >= from && tenant.ratePerMinute < to
    )
    if (stratum < 0) continue
    const minute = (WARM_DAYS + 1) * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const seed = 1000 + (world.seed + fall.seed) * 100_003 + index
    const fired = firings(tenant, WARM_DAYS + 4, { minute, factor: fall.factor }, seed)
    for (const [rule, minutes] of fired.entries()) {
      const first = minutes.find((at) => at >= minute) ?? Infinity
      const delay = first - minute + 1
      delays[rule]![stratum]!.push(delay <= MINUTES_PER_DAY ? delay : Infinity)
    }
  }
  return delays
}

const cell = (delays: Delays): string =>
  delays
    .map((stratum) => {
      const sorted = [...stratum].sort((a, b) => a - b)
      const found = sorted.filter(Number.isFinite).length / Math.max(1, sorted.length)
      const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity
      return `${Number.isFinite(median) ? `${median} min` : '—'} (${(100 * found).toFixed(0)} %)`
    })
    .join(' / ')

export const HIT_RATE_HEADER = [
  `| rule | false per tenant-month | ${FALLS.map(
    ({ name }) => `${name}: ${STRATA.map((stratum) => stratum.name).join(' / ')}`
  ).join(' | ')} |`,
  '|---|---|---|---|'
]
