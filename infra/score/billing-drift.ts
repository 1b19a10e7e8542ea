import { BOOK } from '../../services/signals/billing-drift/book.ts'
import signal from '../../services/signals/billing-drift/signal.ts'
import type { Draft } from '../../services/signals/define.ts'
import { priceUsage } from '../../services/rates/prices/usage.ts'
import {
  BILLING_BUGS,
  billedCalls,
  type BilledCall,
  type BillingBug
} from '../worlds/billing-bugs.ts'
import { createColumns, type GrainRow } from '../worlds/grain-rows.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { percent } from './delays.ts'
import { falseText } from './false-findings.ts'
import type { ScoreRow } from './page.ts'

/** Causes that billing-drift names, and what rules on totals see of the same calls. */

const START_MS = Date.parse('2026-10-05T00:00:00Z')
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const DAYS_PER_MONTH = 30
const PICO_PER_USD = 1e12
/** Ways in which emitters round: each has a third of the quiet months. */
const DECIMALS = [null, 8, 6] as const
const CALLS_PER_DAY = 120
const CALLS = 40
const SOUND = 10

type Play = { bug: BillingBug; calls: readonly BilledCall[]; decimals: number | null }

const picoOf = ({ provider, model }: BillingBug, tokens: BilledCall['priced'], timeMs: number) =>
  Number(priceUsage(BOOK, { provider, response_model: model, tokens, timeMs }).costPico ?? 0n)

/** One call as traces.sql gives it: counted where it agrees, shown where it differs. */
const rowOf = (
  { bug, decimals }: Play,
  { recorded, priced }: BilledCall,
  timeMs: number
): GrainRow => {
  const metered = picoOf(bug, recorded, timeMs)
  const exact = picoOf(bug, priced, timeMs)
  const rounding = decimals === null ? 0 : PICO_PER_USD / 10 ** decimals
  const stated = rounding === 0 ? exact : Math.round(exact / rounding) * rounding
  const own = {
    provider: bug.provider,
    model: bug.model,
    calls: 1,
    metered_pico: metered,
    stated_pico: stated
  }
  const agrees = Math.abs(stated - metered) <= Math.max(0.01 * metered, Math.min(rounding, 1e6), 1)
  if (agrees) return own
  const event = { response_model: bug.model, tokens: recorded, units: null, iterations: null }
  return {
    ...own,
    weight: 1,
    time_ms: timeMs,
    rounding_pico: rounding,
    event: JSON.stringify(event),
    tenant: 't'
  }
}

const play = (one: Play, everyMs: number): Draft[] => {
  const fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  return one.calls.flatMap((call, n) => {
    const startMs = START_MS + Math.floor((n * everyMs) / MINUTE_MS) * MINUTE_MS
    return fold.fold({ startMs, grains: { traces: columns([rowOf(one, call, startMs)]) } })
  })
}

export function* scoreBillingDrift({
  months,
  days,
  incidents
}: ScoreSize): Generator<string, ScoreRow> {
  yield `## Billing bugs: ${incidents} draws of each`
  const bugs = Object.entries(BILLING_BUGS).map(([name, bug]) => bugScore(name, bug, incidents))
  yield [
    '| bug | named right | median calls until named | total off by 10 % a day | capture below 0.9 |',
    '|---|---|---|---|---|',
    ...bugs.map(({ line }) => line)
  ].join('\n')
  const emitters = Math.ceil((months * DAYS_PER_MONTH) / days / DECIMALS.length)
  yield `## Stated costs: ${emitters} emitters × ${days} days, nothing wrong but rounding`
  const quiet = quietRates(emitters, days)
  yield [
    '| rounding | false per emitter-month |',
    '|---|---|',
    ...quiet.map(({ what, score }) => `| ${what} | ${falseText(score)} |`)
  ].join('\n')
  const right = bugs.reduce((sum, one) => sum + one.right, 0)
  const found = bugs.reduce((sum, one) => sum + one.found, 0)
  const draws = bugs.length * incidents
  return {
    detection: `${percent(found, draws)} of ${bugs.length} bugs, ${incidents} draws of each`,
    delay: `${Math.max(...bugs.map(({ median }) => median))} calls or fewer, in the median`,
    falseFindings: falseText({
      found: quiet.reduce((sum, { score }) => sum + score.found, 0),
      months: quiet.reduce((sum, { score }) => sum + score.months, 0)
    }),
    attribution: `class and side named right: ${percent(right, draws)}`
  }
}

const bugScore = (name: string, bug: BillingBug, draws: number) => {
  const until: number[] = []
  let right = 0
  let [offByTen, below] = [0, 0]
  for (let seed = 100; seed < 100 + draws; seed++) {
    const calls = billedCalls(bug, { count: CALLS, sound: SOUND, seed })
    const told = play({ bug, calls, decimals: null }, MINUTE_MS).filter(
      ({ status }) => status === 'firing'
    )
    const [first] = told
    const isRight = told.every(
      ({ after }) => after['cause'] === bug.cause && after['wrong_side'] === bug.side
    )
    if (first !== undefined && isRight) right += 1
    const at = first === undefined ? Infinity : Date.parse(first.detected_at)
    until.push((at - START_MS) / MINUTE_MS - SOUND)
    const sum = (side: keyof BilledCall): number =>
      calls.reduce((total, call) => total + picoOf(bug, call[side], START_MS), 0)
    const capture = sum('recorded') / sum('priced')
    if (Math.abs(capture - 1) > 0.1) offByTen += 1
    if (capture < 0.9) below += 1
  }
  const median = [...until].sort((a, b) => a - b)[Math.floor(until.length / 2)]!
  const found = until.filter(Number.isFinite).length
  const shares = [offByTen, below].map((part) => percent(part, draws)).join(' | ')
  return {
    right,
    found,
    median,
    line: `| ${name} | ${percent(right, draws)} | ${Number.isFinite(median) ? median : '—'} | ${shares} |`
  }
}

const quietRates = (emitters: number, days: number) =>
  DECIMALS.map((decimals) => {
    let found = 0
    for (let emitter = 0; emitter < emitters; emitter++) {
      const bugs = Object.values(BILLING_BUGS)
      const bug = bugs[emitter % bugs.length]!
      const count = CALLS_PER_DAY * days
      const calls = billedCalls(bug, { count, sound: count, seed: 5000 + emitter })
      found += play({ bug, calls, decimals }, DAY_MS / CALLS_PER_DAY).length
    }
    const what = decimals === null ? 'none' : `to ${decimals} decimals of a dollar`
    return { what, score: { found, months: (emitters * days) / DAYS_PER_MONTH } }
  })
