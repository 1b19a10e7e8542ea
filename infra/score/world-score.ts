import type { Draft } from '../../services/signals/define.ts'
import { medianDelay, percent, summarise, type Delays } from './delays.ts'
import { falseText, ruleText, type FalseFindings } from './false-findings.ts'
import type { ScoreRow } from './page.ts'
import { race, raceNames, type Firing } from './race.ts'
import type { World, WorldChange } from './world.ts'

/**
 * Operating curve of a signal on a world of tenants: at several settings, false findings while
 * nothing is wrong, and for each kind of change how many are found within a day, how late, and
 * whether the finding says what it was. The usual rules are told the same minutes.
 */

export type WorldSize = { months: number; changed: number; days: number }

const MINUTES_PER_DAY = 1440
const DAYS_PER_MONTH = 30
/** Months with nothing wrong over which other settings and rules run: they are false often. */
const RULE_MONTHS = 10
/** Seeds on which nothing was tuned. */
const QUIET_SEED = 20_000
const CHANGE_SEED = 30_000
/** Tenants looked at for one that a change applies to. */
const TRIES = 20
/** Days before the change beyond those that are learned, and after it. */
const SPARE_DAYS = 3

/** False findings of each racer: of the default over all months, of the others over the first. */
const scoreQuiet = <Change>(world: World<Change>, { months, days }: WorldSize): FalseFindings[] => {
  const tenants = Math.max(1, Math.round((months * DAYS_PER_MONTH) / days))
  const from = world.warmDays * MINUTES_PER_DAY
  const scores = raceNames(world).map(() => ({ found: 0, months: 0 }))
  for (let index = 0; index < tenants; index++) {
    const run = { index, days: world.warmDays + days, change: null, seed: QUIET_SEED + index }
    const who = (index * days) / DAYS_PER_MONTH < RULE_MONTHS ? 'all' : 'default'
    for (const [racer, firings] of race(world, run, who).entries()) {
      scores[racer]!.found += firings.filter(({ minute }) => minute > from).length
      scores[racer]!.months += days / DAYS_PER_MONTH
    }
  }
  return scores
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
  yield `## ${world.name}: ${size.months} tenant-months with nothing wrong, ${size.changed} of each change`
  const lines = raceNames(world).map((name, racer) => {
    const cells = changed.map(({ delays }) => delays[racer]!.map(summarise).join(' / '))
    const rate = racer === 0 ? falseText(found[0]!) : ruleText(found[racer]!)
    return `| ${name} | ${rate} | ${cells.join(' | ')} |`
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
    falseFindings: falseText(found[0]!),
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
