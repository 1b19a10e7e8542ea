import {
  createPlaces,
  dropIdlePlaces,
  NO_PLACE,
  placeOf,
  placesInLine,
  touchPlace,
  type RecentPlaces
} from '../statistics/recent-places.ts'
import type { Part } from '../statistics/state-parts.ts'

/**
 * Who got which model last. A turn flips when the same request of the same conversation (or of
 * the same end user) is answered by another model than the time before: the router's doing. When
 * the client asks for another model itself, nothing flipped.
 */

export type Turns = {
  places: RecentPlaces
  /** By place: the latest model, and the one before the latest flip, to know a way back. */
  model: Uint32Array
  previous: Uint32Array
}

/** Models by number; 0 is none. */
export type ModelNames = { names: string[]; numbers: Map<string, number> }
const NONE = 0

export type TurnOutcome = 'first' | 'same' | 'flip' | 'back'

export const createTurns = (max: number, idleMs: number): Turns => ({
  places: createPlaces(max, idleMs),
  model: new Uint32Array(max),
  previous: new Uint32Array(max)
})

export const createModels = (): ModelNames => ({ names: [''], numbers: new Map() })

export const modelNumber = ({ names, numbers }: ModelNames, name: string): number => {
  const known = numbers.get(name)
  if (known !== undefined) return known
  numbers.set(name, names.length)
  return names.push(name) - 1
}

/** Takes a turn by the identity of who and what was asked. */
export const takeTurn = (
  { places, model, previous }: Turns,
  identity: number,
  turn: { model: number; ms: number }
): TurnOutcome => {
  const isKnown = placeOf(places, identity) !== NO_PLACE
  const place = touchPlace(places, identity, turn.ms)
  const [last, before] = isKnown ? [model[place]!, previous[place]!] : [turn.model, NONE]
  if (!isKnown || last !== turn.model) {
    model[place] = turn.model
    previous[place] = isKnown ? last : NONE
  }
  if (!isKnown) return 'first'
  if (last === turn.model) return 'same'
  return before === turn.model ? 'back' : 'flip'
}

/** The model of the latest turn; null when there was none. */
export const latestModel = ({ places, model }: Turns, identity: number): number | null => {
  const place = placeOf(places, identity)
  return place === NO_PLACE ? null : model[place]!
}

export const dropIdleTurns = ({ places, model, previous }: Turns, nowMs: number): void =>
  dropIdlePlaces(places, nowMs, (from, to) => {
    model[to] = model[from]!
    previous[to] = previous[from]!
  })

/** Turns in line, the oldest first. */
export const turnsPart: Part<Turns> = {
  save: ({ places, model, previous }) => {
    const line = placesInLine(places)
    return {
      json: null,
      arrays: [
        Float64Array.from(line, (place) => places.identities[place]!),
        Float64Array.from(line, (place) => places.lastMs[place]!),
        Uint32Array.from(line, (place) => model[place]!),
        Uint32Array.from(line, (place) => previous[place]!)
      ]
    }
  },
  restore: (_, arrays, fresh) => {
    const [identities, lastMs, model, previous] = arrays.splice(0, 4)
    for (const [i, identity] of identities!.entries()) {
      const place = touchPlace(fresh.places, identity, lastMs![i]!)
      fresh.model[place] = model![i]!
      fresh.previous[place] = previous![i]!
    }
    return fresh
  }
}

export const modelsPart: Part<ModelNames> = {
  save: ({ names }) => ({ json: names, arrays: [] }),
  restore: (json) => {
    const names = json as string[]
    return { names, numbers: new Map(names.map((name, number) => [name, number])) }
  }
}
