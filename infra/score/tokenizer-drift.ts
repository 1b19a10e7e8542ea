import signal from '../../services/signals/tokenizer-drift/signal.ts'
import type { Draft } from '../../services/signals/define.ts'
import { createColumns } from '../worlds/grain-rows.ts'
import {
  drawCountWorlds,
  playCounts,
  type CountRun,
  type CountWorld
} from '../worlds/token-counts.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { rowsOfRules, type RuleTally } from './metric-rules.ts'

/** False findings, delays and intervals of tokenizer-drift, beside rules on the mean ratio. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const WARM_DAYS = 2
const DAYS_PER_MONTH = 30
/** Series of this score for one tenant of hit rates. */
const SERIES_SHARE = 0.2
const FACTORS = [1.05, 1.11, 1.35] as const

const play = (run: CountRun, rules: RuleTally): Draft[] => {
  const fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  const drafts: Draft[] = []
  playCounts(run, (minute, rows, value) => {
    const traces = columns(rows)
    drafts.push(...fold.fold({ startMs: START_MS + minute * MINUTE_MS, grains: { traces } }))
    rules.observe({ minute, value, n: rows.length })
  })
  return drafts
}

const minuteOf = ({ detected_at: at }: Draft): number => (Date.parse(at) - START_MS) / MINUTE_MS

export function* scoreTokenizerDrift({ tenants, days }: ScoreSize): Generator<string> {
  const count = Math.max(5, Math.round(tenants * SERIES_SHARE))
  for (const drifts of [false, true]) {
    const worlds = drawCountWorlds(count, drifts, 20)
    const what = drifts ? 'a standing drift that never changes' : 'no drift'
    yield `## Token counts: ${count} series × ${days} days, ${what}`
    yield quiet(worlds, days, drifts)
  }
  yield '## Token counts: a silent change of tokenizer'
  const worlds = drawCountWorlds(count, true, 21)
  yield [
    '| change | found within 24 h | median calls until told |',
    '|---|---|---|',
    ...FACTORS.map((factor) => changed(worlds, factor))
  ].join('\n')
}

/** Without a drift every finding is false; with one, every finding of a change is. */
const quiet = (worlds: readonly CountWorld[], days: number, drifts: boolean): string => {
  const rules = rowsOfRules('high')
  let found = 0
  let standing = 0
  let covered = 0
  for (const [index, world] of worlds.entries()) {
    const one = rowsOfRules('high')
    const drafts = play({ world, days, change: null, seed: 700 + index }, one)
    found += drafts.filter(({ status, after }) =>
      drifts ? after['kind'] === 'changed' && status === 'firing' : status === 'firing'
    ).length
    const told = drafts.find(({ after }) => after['kind'] === 'standing')
    if (told !== undefined) {
      standing += 1
      const truth = 100 * (world.ratio - 1)
      const [low, high] = [
        Number(told.after['drift_low_pct']),
        Number(told.after['drift_high_pct'])
      ]
      if (low <= truth && high >= truth) covered += 1
    }
    rules.add(one, WARM_DAYS * MINUTES_PER_DAY)
  }
  const months = (worlds.length * days) / DAYS_PER_MONTH
  const table = rules.table({ name: 'tokenizer-drift', found, months })
  if (!drifts) return table
  return `${table}\n\nStanding drift told: ${standing} of ${worlds.length}; the first interval covers the truth in ${covered}.`
}

const changed = (worlds: readonly CountWorld[], factor: number): string => {
  const calls: number[] = []
  for (const [index, world] of worlds.entries()) {
    const minute = WARM_DAYS * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const run = { world, days: WARM_DAYS + 2, change: { minute, factor }, seed: 800 + index }
    const told = play(run, rowsOfRules('high')).find(
      (draft) => minuteOf(draft) > minute && draft.after['kind'] === 'changed'
    )
    const isInTime = told !== undefined && minuteOf(told) - minute <= MINUTES_PER_DAY
    calls.push(isInTime ? Number(told.after['calls']) : Infinity)
  }
  const sorted = [...calls].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]!
  const share = (100 * calls.filter(Number.isFinite).length) / calls.length
  return `| + ${((factor - 1) * 100).toFixed(0)} % | ${share.toFixed(0)} % | ${Number.isFinite(median) ? median : '—'} |`
}
