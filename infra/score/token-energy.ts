import signal from '../../services/signals/token-energy/signal.ts'
import { CAUSE_OF } from '../../services/signals/token-energy/cause.ts'
import {
  joulesOf,
  batchOf,
  workOf,
  type Sums
} from '../../services/signals/token-energy/profile.ts'
import type { Draft } from '../../services/signals/define.ts'
import {
  CHANGES,
  drawEnergyTenants,
  playEnergy,
  type EnergyChange,
  type EnergyTenant
} from '../worlds/energy.ts'
import { createColumns, type GrainRow } from '../worlds/grain-rows.ts'
import { rowsOfRules, type RuleTally } from './metric-rules.ts'
import type { ScoreSize } from './cache-thrash.ts'

/** False findings, delays and causes of token-energy, beside rules on joules per token. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const WARM_DAYS = 7
const DAYS_PER_MONTH = 30
/** Tenants of this score for one of hit rates: each minute estimates energy anew. */
const TENANT_SHARE = 0.1

type Run = { tenant: EnergyTenant; days: number; change: EnergyChange | null; seed: number }

const joulesPerToken = (rows: readonly GrainRow[]): { joules: number; tokens: number } => {
  let joules = 0
  let tokens = 0
  for (const row of rows) {
    const sums = { decode_ms: 0, decode_tokens: 0, cost_pico: 0, ...row } as unknown as Sums
    const deployment = {
      model: String(row['model']),
      gpu: String(row['gpu']),
      precision: String(row['precision']),
      gpuCount: Number(row['n_gpus'])
    }
    const { input, output } = joulesOf(deployment, batchOf(sums), workOf(sums))
    joules += sums.n * (input + output)
    tokens += sums.out
  }
  return { joules, tokens }
}

const play = (run: Run, rules: RuleTally): Draft[] => {
  const fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  const drafts: Draft[] = []
  playEnergy(run, (minute, rows) => {
    const traces = columns(rows)
    drafts.push(...fold.fold({ startMs: START_MS + minute * MINUTE_MS, grains: { traces } }))
    const { joules, tokens } = joulesPerToken(rows)
    rules.observe({ minute, value: joules / tokens, n: Number(rows[0]?.['n'] ?? 0) })
  })
  return drafts
}

const minuteOf = ({ detected_at: at }: Draft): number => (Date.parse(at) - START_MS) / MINUTE_MS

export function* scoreTokenEnergy({ tenants: wanted, days }: ScoreSize): Generator<string> {
  const tenants = drawEnergyTenants(Math.max(5, Math.round(wanted * TENANT_SHARE)), 10)
  yield `## Energy: ${tenants.length} tenants × ${days} days, nothing wrong`
  yield quiet(tenants, days)
  yield '## Energy: one of three moves, found within a day'
  yield [
    '| change | found within 24 h | median delay | right cause |',
    '|---|---|---|---|',
    ...CHANGES.map((kind) => changed(tenants, kind))
  ].join('\n')
}

const quiet = (tenants: readonly EnergyTenant[], days: number): string => {
  const rules = rowsOfRules('high')
  let found = 0
  for (const [index, tenant] of tenants.entries()) {
    const one = rowsOfRules('high')
    const drafts = play({ tenant, days: WARM_DAYS + days, change: null, seed: 500 + index }, one)
    found += drafts.filter(
      (draft) => draft.status === 'firing' && minuteOf(draft) > WARM_DAYS * MINUTES_PER_DAY
    ).length
    rules.add(one, WARM_DAYS * MINUTES_PER_DAY)
  }
  const months = (tenants.length * days) / DAYS_PER_MONTH
  return rules.table({ name: 'token-energy', found, months })
}

const changed = (tenants: readonly EnergyTenant[], kind: EnergyChange['kind']): string => {
  const delays: number[] = []
  let right = 0
  for (const [index, tenant] of tenants.entries()) {
    const minute = (WARM_DAYS + 1) * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const run = { tenant, days: WARM_DAYS + 3, change: { kind, minute }, seed: 900 + index }
    const first = play(run, rowsOfRules('high')).find((draft) => minuteOf(draft) > minute)
    const delay = first === undefined ? Infinity : minuteOf(first) - minute
    delays.push(delay <= MINUTES_PER_DAY ? delay : Infinity)
    if (first?.after['cause'] === CAUSE_OF[kind]) right += 1
  }
  const found = delays.filter(Number.isFinite)
  const sorted = [...delays].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]!
  const share = (part: number, all: number): string =>
    `${((100 * part) / Math.max(1, all)).toFixed(0)} %`
  return `| ${kind} | ${share(found.length, delays.length)} | ${Number.isFinite(median) ? `${median} min` : '—'} | ${share(right, found.length)} |`
}
