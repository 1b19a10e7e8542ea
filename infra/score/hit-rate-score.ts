import signal from '../../services/signals/cache-thrash/signal.ts'
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
import { falseText, ruleText, type FalseFindings } from './false-findings.ts'
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

const PPM = 1_000_000

/** The whole signal on a tenant's window rows, as the database would give them. */
const ours = (): NaiveRule => {
  const fold = signal.open()
  const names = signal.inputs.window!.measures
  const measures = Object.fromEntries(names.map((name) => [name, Float64Array.of(Number.NaN)]))
  const key = ['tenant', 'provider', 'model', null, null]
  const window = { rows: 1, series: Int32Array.of(0), keys: [key], measures, texts: {} }
  return {
    name: 'cache-thrash',
    observe: ({ minute, n, w, h, ww, x }) => {
      const row = { n, null_n: 0, w, h, ww, x_ppm: x * PPM }
      for (const [name, value] of Object.entries(row)) measures[name]![0] = value
      const drafts = fold.fold({ startMs: START_MS + minute * MINUTE_MS, grains: { window } })
      return drafts.some(({ status }) => status === 'firing')
    }
  }
}

const rulesOf = (who: 'all' | 'ours'): NaiveRule[] => [
  ours(),
  ...(who === 'all' ? naiveRules() : [])
]

type Play = { tenant: Tenant; days: number; change: Change | null; seed: number }

/** Minutes at which each rule fired, muted for an hour after each. */
const firings = (play: Play, who: 'all' | 'ours'): number[][] => {
  const rules = rulesOf(who)
  const fired: number[][] = rules.map(() => [])
  const observe = (window: HitWindow): void => {
    for (const [index, rule] of rules.entries()) {
      const last = fired[index]!.at(-1) ?? -Infinity
      if (rule.observe(window) && window.minute - last >= MUTE_MINUTES) {
        fired[index]!.push(window.minute)
      }
    }
  }
  playTenant(play, observe)
  return fired
}

/** Tenants over which the usual rules run as well: they are false often, and cost more than we do. */
const RULE_TENANTS = 20
const whoRuns = (index: number): 'all' | 'ours' => (index < RULE_TENANTS ? 'all' : 'ours')

const falseFindings = (tenants: readonly Tenant[], world: HitRateWorld): FalseFindings[] => {
  const scores = rulesOf('all').map(() => ({ found: 0, months: 0 }))
  for (const [index, tenant] of tenants.entries()) {
    const seed = 1000 + world.seed * 100_003 + index
    const play = { tenant, days: WARM_DAYS + world.days, change: null, seed }
    for (const [rule, minutes] of firings(play, whoRuns(index)).entries()) {
      const counted = minutes.filter((minute) => minute >= WARM_DAYS * MINUTES_PER_DAY)
      scores[rule]!.found += counted.length
      scores[rule]!.months += world.days / DAYS_PER_MONTH
    }
  }
  return scores
}

/** Table rows as Markdown: one per rule. */
export const scoreHitRate = (world: HitRateWorld): string[] => {
  const tenants = drawTenants(world.tenants, world.mood, 7 + world.seed)
  const alarms = falseFindings(tenants, world)
  const delays = FALLS.map((fall) => delaysOf(tenants, world, fall))
  return rulesOf('all').map(({ name }, rule) => {
    const cells = delays.map((byRule) => cell(byRule[rule]!)).join(' | ')
    const rate = rule === 0 ? falseText(alarms[0]!) : ruleText(alarms[rule]!)
    return `| ${name} | ${rate} | ${cells} |`
  })
}

type Delays = number[][]

/** Per rule and stratum: minutes from the change to the end of the window that fired. */
const delaysOf = (
  tenants: readonly Tenant[],
  world: HitRateWorld,
  fall: (typeof FALLS)[number]
): Delays[] => {
  const delays: Delays[] = rulesOf('all').map(() => STRATA.map(() => []))
  for (const [index, tenant] of tenants.entries()) {
    const stratum = STRATA.findIndex(
      ({ from, to }) => tenant.ratePerMinute >= from && tenant.ratePerMinute < to
    )
    if (stratum < 0) continue
    const minute = (WARM_DAYS + 1) * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const seed = 1000 + (world.seed + fall.seed) * 100_003 + index
    const change = { minute, factor: fall.factor }
    const fired = firings({ tenant, days: WARM_DAYS + 4, change, seed }, whoRuns(index))
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
