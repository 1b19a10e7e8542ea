import type { Draft, Minute, Settings, Signal } from '../../services/signals/define.ts'
import { medianDelay, percent, summarise, type Delays } from './delays.ts'
import type { ScoreRow } from './page.ts'
import { createRules, type Observation, type RuleLimits } from './rules.ts'

/**
 * Operating curve of a signal on a world of tenants: at several settings, false findings while
 * nothing is wrong, and for each kind of change how many are found within a day, how late, and
 * whether the finding says what it was. The usual rules are told the same minutes.
 */

export type WorldRun<Change> = {
  index: number
  days: number
  change: { minute: number; what: Change } | null
  seed: number
}

export type WorldChange<Change> = {
  name: string
  what: Change
  isRight: (draft: Draft) => boolean
  /** Tenants that it is tried on; all when absent. */
  applies?: (index: number) => boolean
  /** Too small to be told: found is wrong here. */
  isSmall?: true
}

/** One point of an operating curve; the first of a world is the default. */
export type CurvePoint = { name: string; settings: Settings }

export type World<Change> = {
  name: string
  signal: Signal
  limits: RuleLimits
  curve?: readonly CurvePoint[]
  startMs: number
  /** Days that are learned before findings count. */
  warmDays: number
  changes: readonly WorldChange<Change>[]
  /** Findings that speak of a change; all when absent. Others state what is true all along. */
  counts?: (draft: Draft, index: number) => boolean
  /** Classes of tenants that are told apart in delays; one class when absent. */
  strata?: { names: readonly string[]; of: (index: number) => number }
  /** Quiet worlds use indexes from 0, changed ones too, with other seeds. */
  play: (run: WorldRun<Change>, visit: (minute: Minute, value: Seen | null) => void) => void
}

/** What rules on one number see of the minute; by default it counts as one call. */
type Seen = { value: number; n?: number; weight?: number }

export type WorldSize = { months: number; changed: number; days: number }

const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const DAYS_PER_MONTH = 30
/** A rule that fires again within the hour tells the same thing. */
const MUTE_MINUTES = 60
/** Seeds on which nothing was tuned. */
const QUIET_SEED = 20_000
const CHANGE_SEED = 30_000
/** Tenants looked at for one that a change applies to. */
const TRIES = 20
/** Days before the change beyond those that are learned, and after it. */
const SPARE_DAYS = 3

const curveOf = <Change>({ signal, curve }: World<Change>): readonly CurvePoint[] =>
  curve ?? budgetCurve(signal)

/** The default, and 100 times as many or as few false findings asked for. */
const budgetCurve = ({ settings }: Signal): readonly CurvePoint[] => {
  const asked = settings['falseFindingsPerTenantMonth'] ?? Number.NaN
  return [asked, 100 * asked, asked / 100].map((falseFindingsPerTenantMonth, index) => ({
    name: `this signal, ${falseFindingsPerTenantMonth} asked for${index === 0 ? ' (default)' : ''}`,
    settings: { falseFindingsPerTenantMonth }
  }))
}

/** A firing of a racer: the minute after which it was known, and the finding if there is one. */
type Firing = { minute: number; draft: Draft | null }

const raceNames = <Change>(world: World<Change>): string[] => [
  ...curveOf(world).map(({ name }) => name),
  ...createRules(world.limits).map(({ name }) => name)
]

/** What a fold found in a minute that speaks of a change. */
const told = <Change>(
  { counts, startMs }: World<Change>,
  drafts: readonly Draft[],
  index: number
): Firing[] =>
  drafts
    .filter((draft) => draft.status === 'firing' && (counts?.(draft, index) ?? true))
    .map((draft) => ({ minute: (Date.parse(draft.detected_at) - startMs) / MINUTE_MS, draft }))

/** Firings of each racer over one run. */
const race = <Change>(world: World<Change>, run: WorldRun<Change>): Firing[][] => {
  const folds = curveOf(world).map(({ settings }) => world.signal.open(settings))
  const rules = createRules(world.limits)
  const fired: Firing[][] = [...folds, ...rules].map(() => [])
  world.play(run, (minute, seen) => {
    for (const [index, fold] of folds.entries()) {
      fired[index]!.push(...told(world, fold.fold(minute), run.index))
    }
    if (seen === null) return
    const { value, n = 1, weight = n } = seen
    const at = (minute.startMs - world.startMs) / MINUTE_MS
    const observation: Observation = { minute: at, value, n, weight }
    for (const [index, rule] of rules.entries()) {
      const own = fired[folds.length + index]!
      const isMuted = at + 1 - (own.at(-1)?.minute ?? -Infinity) < MUTE_MINUTES
      if (rule.fires(observation) && !isMuted) own.push({ minute: at + 1, draft: null })
    }
  })
  return fired
}

/** False findings of each racer over so many tenant-months. */
const scoreQuiet = <Change>(world: World<Change>, { months, days }: WorldSize): number[] => {
  const tenants = Math.max(1, Math.round((months * DAYS_PER_MONTH) / days))
  const from = world.warmDays * MINUTES_PER_DAY
  const found = raceNames(world).map(() => 0)
  for (let index = 0; index < tenants; index++) {
    const run = { index, days: world.warmDays + days, change: null, seed: QUIET_SEED + index }
    for (const [racer, firings] of race(world, run).entries()) {
      found[racer]! += firings.filter(({ minute }) => minute > from).length
    }
  }
  return found
}

type Changed<Change> = {
  change: WorldChange<Change>
  /** Per racer and stratum. */
  delays: Delays[][]
  right: number
  told: number
}

/** The first tenants that a change is tried on. */
const triedOn = <Change>(
  { strata }: World<Change>,
  { applies }: WorldChange<Change>,
  tenants: number
): number[] =>
  Array.from({ length: TRIES * tenants }, (_, index) => index)
    .filter((index) => (strata?.of(index) ?? 0) >= 0 && (applies?.(index) ?? true))
    .slice(0, tenants)

const scoreChange = <Change>(
  world: World<Change>,
  tenants: number,
  change: WorldChange<Change>
): Changed<Change> => {
  const strata = world.strata?.names ?? ['']
  const delays = raceNames(world).map(() => strata.map((): Delays => []))
  const drafts: Draft[] = []
  for (const index of triedOn(world, change, tenants)) {
    const minute = (world.warmDays + 1) * MINUTES_PER_DAY + ((index * 7919) % MINUTES_PER_DAY)
    const days = world.warmDays + SPARE_DAYS
    const run = { index, days, change: { minute, what: change.what }, seed: CHANGE_SEED + index }
    const stratum = world.strata?.of(index) ?? 0
    const firsts = race(world, run).map((firings) => firstWithinDay(firings, minute))
    for (const [racer, first] of firsts.entries()) {
      delays[racer]![stratum]!.push((first?.minute ?? Infinity) - minute)
    }
    const draft = firsts[0]?.draft
    if (draft != null) drafts.push(draft)
  }
  return { change, delays, right: drafts.filter(change.isRight).length, told: drafts.length }
}

const firstWithinDay = (firings: readonly Firing[], from: number): Firing | undefined =>
  firings.find(({ minute }) => minute > from && minute <= from + MINUTES_PER_DAY)

/** A section, and the row of the scoreboard. */
export function* scoreWorld<Change>(
  world: World<Change>,
  size: WorldSize
): Generator<string, ScoreRow> {
  const found = scoreQuiet(world, size)
  const changed = world.changes.map((change) => scoreChange(world, size.changed, change))
  const rate = (count: number): string => (count / size.months).toFixed(count === 0 ? 0 : 4)
  yield `## ${world.name}: ${size.months} tenant-months with nothing wrong, ${size.changed} of each change`
  const lines = raceNames(world).map((name, racer) => {
    const cells = changed.map(({ delays }) => delays[racer]!.map(summarise).join(' / '))
    return `| ${name} | ${rate(found[racer]!)} | ${cells.join(' | ')} |`
  })
  yield [...headerOf(world), ...lines].join('\n')
  const large = changed.filter(({ change }) => change.isSmall !== true)
  const said = large.map(({ change, right, told }) => `${change.name} ${percent(right, told)}`)
  yield `Share found within 24 hours and its median delay. What the finding says is right: ${said.join('; ')}.`
  return {
    detection: large
      .map(({ change, delays }) => `${change.name}: ${delays[0]!.map(shareFound).join(' / ')}`)
      .join('; '),
    delay: large.map(({ delays }) => delays[0]!.map(medianDelay).join(' / ')).join('; '),
    falseFindings: `${rate(found[0]!)} (${found[0]} in ${size.months})`,
    attribution: large.map(({ right, told }) => percent(right, told)).join('; ')
  }
}

const shareFound = (delays: Delays): string =>
  percent(delays.filter(Number.isFinite).length, delays.length)

const headerOf = <Change>({ changes, strata }: World<Change>): string[] => {
  const classes = strata === undefined ? '' : ` (${strata.names.join(' / ')})`
  const columns = changes.map(({ name }) => `${name}${classes}`)
  return [
    `| rule | false per tenant-month | ${columns.join(' | ')} |`,
    `|---|---|${columns.map(() => '---|').join('')}`
  ]
}
