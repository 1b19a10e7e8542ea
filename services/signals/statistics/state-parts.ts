import { pack, unpack } from './checkpoint.ts'
import type { Dated, Recent } from './recent.ts'
import { restoreSlots, saveSlots, slotArrays, type SavedSlots, type Slots } from './series-slots.ts'
import { restoreShares, saveShares, shareArrays, type WatchedShares } from './watched-shares.ts'

/**
 * A state as bytes, part by part: what of it is kept is named once, and both ways follow from that.
 * What is not named (settings, and what is found anew in each run) comes from a fresh state.
 */

type Arrays = ReturnType<typeof unpack>['arrays']

export type Part<Value> = {
  /** Raised when the part is saved in another way, whatever signal it is of; 1 when not given. */
  form?: number
  /** As JSON, and as arrays behind it. */
  save: (value: Value) => { json: unknown; arrays: Arrays }
  /** `fresh` is the part of a new state; takes its arrays off the front. */
  restore: (json: unknown, arrays: Arrays, fresh: Value) => Value
}

export const mapPart = <Key, Value>(): Part<Map<Key, Value>> => ({
  save: (map) => ({ json: [...map], arrays: [] }),
  restore: (json) => new Map(json as [Key, Value][])
})

export const recentPart = <Entry extends Dated>(): Part<Recent<Entry>> => ({
  save: ({ entries }) => ({ json: [...entries], arrays: [] }),
  restore: (json, _, fresh) => ({ ...fresh, entries: new Map(json as [string, Entry][]) })
})

export const slotsPart: Part<Slots> = {
  save: (slots) => ({ json: saveSlots(slots), arrays: slotArrays(slots) }),
  restore: (json, arrays, fresh) => restoreSlots(fresh, json as SavedSlots, arrays)
}

export const sharesPart: Part<WatchedShares> = {
  form: 4,
  save: (shares) => ({ json: saveShares(shares), arrays: shareArrays(shares) }),
  restore: (json, arrays) => restoreShares(json as SavedSlots, arrays)
}

const saidName = (name: string, form: number): string => (form === 1 ? name : `${name} ${form}`)

type Parts<State> = { [Name in keyof State]?: Part<State[Name]> }

/**
 * @param version raised whenever the meaning of a saved part changes: an older state then starts
 * afresh.
 */
export const defineCheckpoint = <State, Settings>(
  version: number,
  create: (settings: Settings) => State,
  parts: Parts<State>
) => {
  const names = Object.keys(parts) as (keyof State)[]
  const saidNames = names.map((name) => saidName(String(name), parts[name]!.form ?? 1))
  const saveState = (state: State): Uint8Array => {
    const saved = names.map((name) => parts[name]!.save(state[name]))
    const header = { version, names: saidNames, parts: saved.map(({ json }) => json) }
    return pack(
      header,
      saved.flatMap(({ arrays }) => arrays)
    )
  }
  const restoreState = (bytes: Uint8Array, settings: Settings): State => {
    const { header, arrays } = unpack(bytes)
    const saved = header as { version: number; names?: string[]; parts: unknown[] }
    const state = create(settings)
    if (saved.version !== version || saved.names?.join() !== saidNames.join()) return state
    for (const [index, name] of names.entries()) {
      state[name] = parts[name]!.restore(saved.parts[index], arrays, state[name])
    }
    return state
  }
  return { saveState, restoreState }
}
