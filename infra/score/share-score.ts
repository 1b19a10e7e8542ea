import {
  judgeShares,
  type ShareSettings
} from '../../services/signals/statistics/share-incidents.ts'
import {
  createShares,
  gather,
  shareSlot
} from '../../services/signals/statistics/watched-shares.ts'
import {
  drawShareTenants,
  logit,
  playShare,
  type Rise,
  type ShareTenant,
  type ShareWindow
} from '../worlds/bad-share.ts'
import { MINUTES_PER_DAY, WARM_DAYS, type Mood } from '../worlds/hit-rate.ts'
import { shareRules, type ShareRule } from './share-rules.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { falseText, ruleText, type FalseFindings } from './false-findings.ts'
import type { ScoreRow } from './page.ts'

/** False findings per tenant-month, and delays to two real rises of a share, by traffic. */

export type ShareWorld = {
  id: string
  /** The share that goes wrong usually, and the two that it rises to. */
  usual: number
  risen: readonly [number, number]
  settings: ShareSettings
  /** Series that share a tenant's budget in this signal. */
  series: number
  firstSeed: number
}

const STRATA = [
  { name: '≥ 10/min', from: 10, to: Infinity },
  { name: '1-10/min', from: 1, to: 10 },
  { name: '0.1-1/min', from: 0.1, to: 1 }
] as const
const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-03-02T00:00:00Z')
/** A rule that fires again within the hour tells the same thing. */
const MUTE_MINUTES = 60
const DAYS_PER_MONTH = 30
/** How many times the budget the lower threshold is given: four nats. */
const LOWER = 55

/** All series of a tenant see the same, as those above one another do, and all spend. */
const ours = ({ id, settings, series }: ShareWorld, times = 1): ShareRule => {
  const shares = createShares()
  const budget = settings.falseFindingsPerTenantMonth * times
  const own = { ...settings, falseFindingsPerTenantMonth: budget }
  const slots = Array.from({ length: series }, (_, one) =>
    shareSlot(shares, [id, String(one)], START_MS)
  )
  return {
    name: `${id}, ${budget} false findings a month paid for`,
    observe: ({ minute, n, k }) => {
      for (const slot of slots) gather(shares, slot, { n, k, sums: [0, 0, 0] })
      const events = judgeShares(shares, START_MS + minute * MINUTE_MS, own)
      return events.some(({ outcome }) => outcome === 'opened')
    }
  }
}

/** Tenants over which the lower threshold and the usual rules run as well: they are false often. */
const RULE_TENANTS = 20
const whoRuns = (index: number): 'all' | 'ours' => (index < RULE_TENANTS ? 'all' : 'ours')

const rulesOf = (world: ShareWorld, who: 'all' | 'ours' = 'all'): ShareRule[] => [
  ours(world),
  ...(who === 'all' ? [ours(world, LOWER), ...shareRules(world.usual)] : [])
]

type Play = { tenant: ShareTenant; days: number; rise: Rise | null; seed: number }

/** Minutes at which each rule fired, muted for an hour after each. */
const firings = (world: ShareWorld, play: Play, who: 'all' | 'ours'): number[][] => {
  const rules = rulesOf(world, who)
  const fired: number[][] = rules.map(() => [])
  playShare(play, (window: ShareWindow) => {
    for (const [index, rule] of rules.entries()) {
      const last = fired[index]!.at(-1) ?? -Infinity
      if (rule.observe(window) && window.minute - last >= MUTE_MINUTES) {
        fired[index]!.push(window.minute)
      }
    }
  })
  return fired
}

const falseFindings = (
  world: ShareWorld,
  mood: Mood,
  { tenants, days }: ScoreSize
): FalseFindings[] => {
  const scores = rulesOf(world).map(() => ({ found: 0, months: 0 }))
  const drawn = drawShareTenants(tenants, { mood, share: world.usual, seed: world.firstSeed })
  for (const [index, tenant] of drawn.entries()) {
    const seed = world.firstSeed + 1000 + index
    const play = { tenant, days: WARM_DAYS + days, rise: null, seed }
    for (const [rule, minutes] of firings(world, play, whoRuns(index)).entries()) {
      const counted = minutes.filter((minute) => minute >= WARM_DAYS * MINUTES_PER_DAY)
      scores[rule]!.found += counted.length
      scores[rule]!.months += days / DAYS_PER_MONTH
    }
  }
  return scores
}

/** Per rule and stratum: minutes from the rise to the end of the window that fired. */
const delaysOf = (world: ShareWorld, mood: Mood, size: ScoreSize, risen: number): number[][][] => {
  const delays = rulesOf(world).map(() => STRATA.map((): number[] => []))
  const drawn = drawShareTenants(size.tenants, { mood, share: world.usual, seed: world.firstSeed })
  const odds = Math.exp(logit(risen) - logit(world.usual))
  for (const [index, tenant] of drawn.entries()) {
    const { ratePerMinute } = tenant
    const stratum = STRATA.findIndex(({ from, to }) => ratePerMinute >= from && ratePerMinute < to)
    if (stratum < 0) continue
    const minute = (WARM_DAYS + 1) * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const seed = world.firstSeed + 100_000 * (1 + world.risen.indexOf(risen)) + index
    const play = { tenant, days: WARM_DAYS + 4, rise: { minute, odds }, seed }
    const fired = firings(world, play, whoRuns(index))
    for (const [rule, minutes] of fired.entries()) {
      const delay = (minutes.find((at) => at >= minute) ?? Infinity) - minute + 1
      delays[rule]![stratum]!.push(delay <= MINUTES_PER_DAY ? delay : Infinity)
    }
  }
  return delays
}

const medianOf = (delays: readonly number[]): { median: number; found: number } => {
  const sorted = [...delays].sort((a, b) => a - b)
  const found = sorted.filter(Number.isFinite).length / Math.max(1, sorted.length)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Infinity, found }
}

const cell = (strata: readonly number[][]): string =>
  strata
    .map(medianOf)
    .map(({ median, found }) => {
      const share = `(${(100 * found).toFixed(0)} %)`
      return Number.isFinite(median) ? `${median} min ${share}` : `— ${share}`
    })
    .join(' / ')

const pct = (share: number): string => `${Math.round(share * 100)} %`

const headerOf = ({ usual, risen }: ShareWorld): string[] => {
  const strata = STRATA.map(({ name }) => name).join(' / ')
  const columns = risen.map((to) => `${pct(usual)} → ${pct(to)}: ${strata}`)
  return [`| rule | false per tenant-month | ${columns.join(' | ')} |`, '|---|---|---|---|']
}

/** A section per mood, and the row of the scoreboard from the noisy one. */
export function* scoreShare(world: ShareWorld, size: ScoreSize): Generator<string, ScoreRow> {
  let row: ScoreRow | null = null
  for (const mood of ['noisy', 'mild'] as const) {
    const alarms = falseFindings(world, mood, size)
    const [small, large] = world.risen.map((risen) => delaysOf(world, mood, size, risen))
    const lines = rulesOf(world).map(({ name }, rule) => {
      const rate = rule === 0 ? falseText(alarms[0]!) : ruleText(alarms[rule]!)
      return `| ${name} | ${rate} | ${cell(small![rule]!)} | ${cell(large![rule]!)} |`
    })
    yield `## Shares that go wrong, ${mood} world: ${size.tenants} tenants × ${size.days} days`
    yield [...headerOf(world), ...lines].join('\n')
    row ??= rowOf(world, { alarms: alarms[0]!, small: small![0]!, large: large![0]! })
  }
  return row!
}

type Ours = { alarms: FalseFindings; small: number[][]; large: number[][] }

const rowOf = ({ usual, risen }: ShareWorld, { alarms, small, large }: Ours): ScoreRow => {
  const found = (delays: number[][]): string =>
    delays.map((stratum) => `${(100 * medianOf(stratum).found).toFixed(0)} %`).join(' / ')
  const delay = (delays: number[][]): string =>
    delays
      .map((stratum) => medianOf(stratum).median)
      .map((median) => (Number.isFinite(median) ? median : '—'))
      .join(' / ')
  return {
    detection: `${pct(usual)} → ${pct(risen[0])}: ${found(small)}; → ${pct(risen[1])}: ${found(large)} in a day`,
    delay: `${delay(small)}; ${delay(large)} min (≥ 10 / 1-10 / 0.1-1 a minute)`,
    falseFindings: falseText(alarms),
    attribution: 'contributors, by excess'
  }
}
