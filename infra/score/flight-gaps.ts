import signal from '../../services/signals/flight-gaps/signal.ts'
import type { Draft } from '../../services/signals/define.ts'
import {
  drawFlightWorlds,
  playFlights,
  type FlightChange,
  type FlightRun,
  type FlightWorld
} from '../worlds/flights.ts'
import { createColumns } from '../worlds/grain-rows.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { rowsOfRules, type RuleTally } from './metric-rules.ts'

/** False findings and delays of flight-gaps, beside rules on the share of missing facts. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const WARM_DAYS = 2
const DAYS_PER_MONTH = 30
/** Agents of this score for one tenant of hit rates: every step is followed. */
const AGENT_SHARE = 0.1
const LOSSES = [
  { fact: 'result', share: 0.6 },
  { fact: 'parent', share: 0.4 },
  { fact: 'usage', share: 0.3 }
] as const

const play = (run: FlightRun, rules: RuleTally): Draft[] => {
  const fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  const drafts: Draft[] = []
  playFlights(run, (minute, rows, value) => {
    const traces = columns(rows)
    drafts.push(...fold.fold({ startMs: START_MS + minute * MINUTE_MS, grains: { traces } }))
    rules.observe({ minute, value, n: rows.length })
  })
  return drafts
}

const minuteOf = ({ detected_at: at }: Draft): number => (Date.parse(at) - START_MS) / MINUTE_MS

export function* scoreFlightGaps({ tenants, days }: ScoreSize): Generator<string> {
  const worlds = drawFlightWorlds(Math.max(5, Math.round(tenants * AGENT_SHARE)), 30)
  yield `## Flights: ${worlds.length} agents × ${days} days, nothing wrong`
  const rules = rowsOfRules('high')
  let found = 0
  for (const [index, world] of worlds.entries()) {
    const one = rowsOfRules('high')
    const drafts = play({ world, days, change: null, seed: 300 + index }, one)
    found += drafts.filter(({ status }) => status === 'firing').length
    rules.add(one, WARM_DAYS * MINUTES_PER_DAY)
  }
  const months = (worlds.length * days) / DAYS_PER_MONTH
  yield rules.table({ name: 'flight-gaps', found, months })
  yield '## Flights: a fact is lost'
  yield [
    '| lost | found within 24 h | median delay | right fact |',
    '|---|---|---|---|',
    ...LOSSES.map((loss) => lossRow(worlds, loss))
  ].join('\n')
}

const lossRow = (worlds: readonly FlightWorld[], loss: Omit<FlightChange, 'minute'>): string => {
  const delays: number[] = []
  let right = 0
  for (const [index, world] of worlds.entries()) {
    const minute = WARM_DAYS * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const change = { ...loss, minute }
    const told = play(
      { world, days: WARM_DAYS + 2, change, seed: 400 + index },
      rowsOfRules('high')
    ).find((draft) => minuteOf(draft) > minute)
    const delay = told === undefined ? Infinity : minuteOf(told) - minute
    delays.push(delay <= MINUTES_PER_DAY ? delay : Infinity)
    if (told?.scope['fact'] === loss.fact) right += 1
  }
  const found = delays.filter(Number.isFinite).length
  const median = [...delays].sort((a, b) => a - b)[Math.floor(delays.length / 2)]!
  const pct = (part: number, all: number): string =>
    `${((100 * part) / Math.max(1, all)).toFixed(0)} %`
  return `| ${loss.fact} in ${100 * loss.share} % | ${pct(found, delays.length)} | ${Number.isFinite(median) ? `${median} min` : '—'} | ${pct(right, delays.filter(Number.isFinite).length)} |`
}
