import type { Draft, Minute, Settings, Signal } from '../../services/signals/define.ts'
import type { RuleLimits } from './rules.ts'

/** A world of tenants as a signal is scored on it. */

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
  play: (run: WorldRun<Change>, visit: (minute: Minute, seen: (() => Seen) | null) => void) => void
}

/** What rules on one number see of the minute; asked for only where there are rules. */
type Seen = { value: number; n?: number; weight?: number }
