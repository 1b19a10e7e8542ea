import type { Finding } from '../../schemas/finding.ts'

/**
 * The socket for signals. A signal is one folder beside this file; its name is the id and is
 * written nowhere else. The folder holds signal.ts (default export of `defineSignal`), one SQL
 * file per grain that it reads, panel.sql, runbook.md and cases/.
 */

/** What a signal can read. Each grain has an SQL file in the folder: `window.sql`, `traces.sql`. */
export const GRAINS = ['window', 'prefixes', 'traces'] as const
export type Grain = (typeof GRAINS)[number]

/** Columns that a grain's SQL yields, besides `window_start`. */
export type GrainInput = {
  /** Text columns that identify a series. */
  keys: readonly string[]
  /** Numeric columns; null arrives as NaN, since null is not 0. */
  measures: readonly string[]
  /** Text columns that differ from row to row of a series. */
  texts?: readonly string[]
  /**
   * Text columns that are only compared: instead of each text, 53 bits of its hash arrive among the
   * measures; null as NaN.
   */
  identities?: readonly string[]
  /** Columns that order the rows of a minute, before the series' own order; they need not be read. */
  orderBy?: readonly string[]
}

/** Keys of all series seen so far in a run, in the order of `GrainInput.keys`. */
export type SeriesKeys = readonly (readonly (string | null)[])[]

/** Rows of one grain in one minute, by column. No object is ever made per row. */
export type Columns = {
  rows: number
  /** Per row: index into `keys`. Indexes live as long as one run and are not kept in states. */
  series: Int32Array
  keys: SeriesKeys
  measures: Readonly<Record<string, Float64Array>>
  texts: Readonly<Record<string, Texts>>
}

/** Texts by row, each decoded when it is asked for: most are only looked at to tell a finding. */
export type Texts = { readonly at: (row: number) => string | null | undefined }

/** One closed minute of event time. A grain without rows in it is absent. */
export type Minute = { startMs: number; grains: Partial<Record<Grain, Columns>> }

/** A finding as the signal makes it; the runner adds signal, runbook and generation. */
export type Draft = Omit<Finding, 'signal' | 'runbook' | 'generation'>

export type Settings = Readonly<Record<string, number>>

/** What a signal folder writes. All of it is pure: the state is changed by `fold` alone. */
export type SignalDefinition<State, Names extends string> = {
  title: string
  /** The column that panel.sql plots, with its unit last: `hit_rate_pct`. */
  plots: string
  inputs: Partial<Record<Grain, GrainInput>>
  /** Every threshold, with a default that is right without tuning; each is a config entry. */
  settings: Readonly<Record<Names, number>>
  init: (settings: Readonly<Record<Names, number>>) => State
  /** Before anything of a minute: forgets what is idle, and returns what ended so. */
  begin?: (state: State, startMs: number) => Draft[]
  /**
   * Takes a minute's events in order of time, part by part, so that a busy minute is not folded all
   * at once when it closes. What it tells and leaves behind must not depend on where parts end.
   */
  follow?: (state: State, events: Columns, startMs: number) => Draft[]
  /**
   * Takes closed minutes in order, each once; returns what opened, changed or resolved. Events that
   * `follow` took are not for it.
   */
  fold: (state: State, minute: Minute) => Draft[]
  save: (state: State) => Uint8Array
  /** The inverse of `save`: folding on gives what folding through would have given. */
  restore: (saved: Uint8Array, settings: Readonly<Record<Names, number>>) => State
}

/** A signal that is folding. */
export type SignalFold = {
  /** Takes events of a part of the running minute; for signals that take parts. */
  follow?: (startMs: number, events: Columns) => Draft[]
  /** What is left of a minute, or all of it, as it closes. */
  fold: (minute: Minute) => Draft[]
  /** Between minutes only: a state in the middle of one can't be gone on from. */
  save: () => Uint8Array
}

export type Signal = {
  title: string
  plots: string
  inputs: Partial<Record<Grain, GrainInput>>
  settings: Settings
  /** Starts empty, or where `saved` left off. `overrides` replace default settings by name. */
  open: (overrides?: Settings, saved?: Uint8Array) => SignalFold
}

/** Closes over the state's type, so that the runner needs to know nothing about it. */
export const defineSignal = <State, Names extends string>(
  definition: SignalDefinition<State, Names>
): Signal => ({
  title: definition.title,
  plots: definition.plots,
  inputs: definition.inputs,
  settings: definition.settings,
  open: (overrides = {}, saved) => {
    const settings = { ...definition.settings, ...overrides }
    const state =
      saved === undefined ? definition.init(settings) : definition.restore(saved, settings)
    return openFold(definition, state)
  }
})

const openFold = <State, Names extends string>(
  definition: SignalDefinition<State, Names>,
  state: State
): SignalFold => {
  let begunMs: number | null = null
  const take = (startMs: number, events?: Columns): Draft[] => {
    const ended = begunMs === startMs ? [] : (definition.begin?.(state, startMs) ?? [])
    begunMs = startMs
    const told = events === undefined ? [] : (definition.follow?.(state, events, startMs) ?? [])
    return [...ended, ...told]
  }
  return {
    ...(definition.follow === undefined ? {} : { follow: take }),
    fold: (minute) => [
      ...take(minute.startMs, minute.grains.traces),
      ...definition.fold(state, minute)
    ],
    save: () => definition.save(state)
  }
}
