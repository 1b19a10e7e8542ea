import type { Draft, Minute, Signal } from '../../services/signals/define.ts'
import type { ScoreSize } from './cache-thrash.ts'
import { rowsOfRules, type Observation, type RuleTally } from './metric-rules.ts'
import type { ScoreRow } from './page.ts'

/**
 * Operating figures of a signal on a world of tenants: false findings while nothing is wrong, and
 * for each kind of change how many are found within a day, how late, and whether the finding says
 * what it was; the usual rules are told the same minutes as one value each.
 */

export type WorldRun<Change> = {
  index: number
  days: number
  change: { minute: number; what: Change } | null
  seed: number
}

export type World<Change> = {
  name: string
  signal: Signal
  /** Which side of the rules' value is bad. */
  side: 'high' | 'low'
  startMs: number
  /** Days that are learned before findings count. */
  warmDays: number
  changes: readonly { name: string; what: Change; isRight: (draft: Draft) => boolean }[]
  /** `value` is what rules on one number see of the minute; null = nothing. */
  play: (run: WorldRun<Change>, visit: (minute: Minute, value: number | null) => void) => void
}

const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const DAYS_PER_MONTH = 30
/** Tenants of such a score for one of hit rates. */
const TENANT_SHARE = 0.1
const TENANTS_MIN = 5
/** Seeds on which nothing was tuned. */
const QUIET_SEED = 20_000
const CHANGE_SEED = 30_000

const foldRun = <Change>(
  world: World<Change>,
  run: WorldRun<Change>,
  rules: RuleTally
): Draft[] => {
  const fold = world.signal.open()
  const drafts: Draft[] = []
  world.play(run, (minute, value) => {
    drafts.push(...fold.fold(minute).filter(({ status }) => status === 'firing'))
    if (value === null) return
    const observation: Observation = {
      minute: (minute.startMs - world.startMs) / MINUTE_MS,
      value,
      n: 1
    }
    rules.observe(observation)
  })
  return drafts
}

const minuteOf = (world: { startMs: number }, { detected_at: at }: Draft): number =>
  (Date.parse(at) - world.startMs) / MINUTE_MS

export function* scoreWorld<Change>(
  world: World<Change>,
  size: ScoreSize
): Generator<string, ScoreRow> {
  const tenants = Math.max(TENANTS_MIN, Math.round(size.tenants * TENANT_SHARE))
  yield `## ${world.name}: ${tenants} tenants × ${size.days} days, nothing wrong`
  const quiet = scoreQuiet(world, tenants, size.days)
  yield quiet.text
  yield `## ${world.name}: what truly changed, found within a day`
  const changed = world.changes.map((change) => scoreChange(world, tenants, change))
  yield [HEADER, RULE, ...changed.map(({ line }) => line)].join('\n')
  return {
    detection: changed.map(({ name, found }) => `${name} ${found}`).join('; '),
    delay: changed.map(({ median }) => median).join('; '),
    falseFindings: quiet.rate,
    attribution: changed.map(({ right }) => right).join('; ')
  }
}

const HEADER =
  '| change | found | median delay | said what it was | z-score: found, delay | 15-minute mean | 60-minute mean |'
const RULE = '|---|---|---|---|---|---|---|'

const scoreQuiet = <Change>(world: World<Change>, tenants: number, days: number) => {
  const rules = rowsOfRules(world.side)
  const from = world.warmDays * MINUTES_PER_DAY
  let found = 0
  for (let index = 0; index < tenants; index++) {
    const own = rowsOfRules(world.side)
    const run = { index, days: world.warmDays + days, change: null, seed: QUIET_SEED + index }
    const drafts = foldRun(world, run, own)
    found += drafts.filter((draft) => minuteOf(world, draft) > from).length
    rules.add(own, from)
  }
  const months = (tenants * days) / DAYS_PER_MONTH
  return {
    text: rules.table({ name: 'this signal', found, months }),
    rate: (found / months).toFixed(4)
  }
}

const percent = (part: number, all: number): string =>
  `${((100 * part) / Math.max(1, all)).toFixed(0)} %`

const delayText = (delays: readonly number[]): string => {
  const sorted = [...delays].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? Infinity
  return Number.isFinite(median) ? `${median} min` : '—'
}

const withinDay = (delay: number): number => (delay <= MINUTES_PER_DAY ? delay : Infinity)

const scoreChange = <Change>(
  world: World<Change>,
  tenants: number,
  { name, what, isRight }: World<Change>['changes'][number]
) => {
  const delays: number[] = []
  const ruleDelays: number[][] = []
  let right = 0
  for (let index = 0; index < tenants; index++) {
    const minute = (world.warmDays + 1) * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const rules = rowsOfRules(world.side)
    const run = {
      index,
      days: world.warmDays + 3,
      change: { minute, what },
      seed: CHANGE_SEED + index
    }
    const first = foldRun(world, run, rules).find((draft) => minuteOf(world, draft) > minute)
    const delay = withinDay(first === undefined ? Infinity : minuteOf(world, first) - minute)
    delays.push(delay)
    if (first !== undefined && Number.isFinite(delay) && isRight(first)) right += 1
    for (const [rule, fired] of rules.fired().entries()) {
      const at = fired.find((one) => one >= minute) ?? Infinity
      ;(ruleDelays[rule] ??= []).push(withinDay(at - minute + 1))
    }
  }
  const count = (some: readonly number[]): number => some.filter(Number.isFinite).length
  const found = percent(count(delays), tenants)
  const cells = ruleDelays.map((some) => `${percent(count(some), tenants)}, ${delayText(some)}`)
  const rightText = percent(right, count(delays))
  return {
    name,
    found,
    median: delayText(delays),
    right: rightText,
    line: `| ${name} | ${found} | ${delayText(delays)} | ${rightText} | ${cells.join(' | ')} |`
  }
}
