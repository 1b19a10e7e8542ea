import type { UsageEvent } from '../../../schemas/event.ts'
import type { Chance } from './chance.ts'

/**
 * An app of a customer: two hours of its usage, in which something goes wrong. What it does is all
 * that a scene says; what is found of it is up to the signals.
 */
export type Scene = {
  /** What goes wrong and when, as the story tells it. */
  says: string
  events: (stage: Stage) => SceneEvent[]
}

/** An event but for its identity and sender, which are filled in; its time in milliseconds. */
export type SceneEvent = Omit<UsageEvent, 'id' | 'source' | 'time'> & { atMs: number }

export type Stage = {
  chance: Chance
  /** Poisson arrivals, this many seconds apart on average, over the two hours. */
  arrivals: (meanSeconds: number) => number[]
  /** Whether something is wrong at a time: from a minute of the two hours on, if at all. */
  isWrong: (atMs: number, fromMinute: number) => boolean
  /** A name nothing else has. */
  unique: (word: string) => string
}

export const defineScene = (scene: Scene): Scene => scene
