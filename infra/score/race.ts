import type { Draft, Signal } from '../../services/signals/define.ts'
import { createRules, type Observation } from './rules.ts'
import type { CurvePoint, World, WorldRun } from './world.ts'

/** Who runs over a world: the signal at its default, at other settings, and the usual rules. */

const MINUTE_MS = 60_000
/** A rule that fires again within the hour tells the same thing. */
const MUTE_MINUTES = 60

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
export type Firing = { minute: number; draft: Draft | null }

export const raceNames = <Change>(world: World<Change>): string[] => [
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

/** Firings of each racer over one run, in the order of names; of the default alone if so asked. */
export const race = <Change>(
  world: World<Change>,
  run: WorldRun<Change>,
  who: 'all' | 'default' = 'all'
): Firing[][] => {
  const points = who === 'all' ? curveOf(world) : curveOf(world).slice(0, 1)
  const folds = points.map(({ settings }) => world.signal.open(settings))
  const rules = who === 'all' ? createRules(world.limits) : []
  const fired: Firing[][] = [...folds, ...rules].map(() => [])
  world.play(run, (minute, seen) => {
    for (const [index, fold] of folds.entries()) {
      fired[index]!.push(...told(world, fold.fold(minute), run.index))
    }
    if (seen === null || rules.length === 0) return
    const { value, n = 1, weight = n } = seen()
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
