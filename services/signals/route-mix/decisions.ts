import { inheritNone } from '../statistics/rise-change.ts'
import { wordsOf, type Words } from '../statistics/series-slots.ts'
import { gather, NO_SLOT, shareSlot, type WatchedShares } from '../statistics/watched-shares.ts'

/**
 * What a router newly decides: the first turn of a conversation, and every call outside of one.
 * Later turns follow the first, so they would count one decision many times.
 */

type Decision = { n: number; fallbacks: number }
type Group = { name: Words; n: number; calls: number; byModel: Map<string, Decision> }

/** Decisions of a minute by what was asked for. */
export type Decisions = Map<string, Group>

export const createDecisions = (): Decisions => new Map()

export type Decided = {
  tenant: string
  asked: string | null
  route: string | null
  model: string
  isFallback: number
}

/** Counts a call; `isNew` says whether it was decided anew. */
export const decided = (decisions: Decisions, call: Decided, isNew: boolean): void => {
  const key = `${call.tenant}\u001f${call.asked}\u001f${call.route}`
  let group = decisions.get(key)
  if (group === undefined) {
    const name = [call.tenant, 'asked', call.asked, call.route]
    group = { name, n: 0, calls: 0, byModel: new Map() }
    decisions.set(key, group)
  }
  group.calls += 1
  if (!isNew) return
  group.n += 1
  const model = group.byModel.get(call.model) ?? { n: 0, fallbacks: 0 }
  group.byModel.set(call.model, model)
  model.n += 1
  model.fallbacks += call.isFallback
}

export const mixName = ([tenant, , asked, route]: Words, model: string): Words => [
  tenant ?? null,
  'mix',
  asked ?? null,
  route ?? null,
  model
]

/** The models that each request ever got, with their series; found anew in each run. */
export type ModelIndex = Map<string, [model: string, slot: number][]>

export const indexModels = ({ slots }: WatchedShares): ModelIndex => {
  const index: ModelIndex = new Map()
  for (const slot of slots.slots.values()) {
    const words = wordsOf(slots, slot)
    if (words[1] === 'mix') addToIndex(index, words, slot)
  }
  return index
}

const groupKey = ([tenant, , asked, route]: Words): string => JSON.stringify([tenant, asked, route])

const addToIndex = (index: ModelIndex, words: Words, slot: number): void => {
  const known = index.get(groupKey(words)) ?? []
  known.push([words[4] ?? '', slot])
  index.set(groupKey(words), known)
}

/** The models that a request ever got, with their series. */
export const modelsOf = (index: ModelIndex, name: Words): readonly [string, number][] =>
  index.get(groupKey(name)) ?? []

/** Adds the minute's decisions to the share of every model that the request ever got. */
export const gatherDecisions = (
  shares: WatchedShares,
  index: ModelIndex,
  decisions: Decisions,
  ms: number
): void => {
  for (const group of decisions.values()) {
    const slot = shareSlot(shares, group.name, ms)
    if (slot === NO_SLOT) continue
    for (const model of group.byModel.keys()) {
      addModel(shares, index, { group: slot, name: mixName(group.name, model), ms })
    }
    gather(shares, slot, { n: group.n, k: 0, sums: [0, group.calls, 0] })
    for (const [model, series] of modelsOf(index, group.name)) {
      const own = group.byModel.get(model) ?? { n: 0, fallbacks: 0 }
      gather(shares, series, { n: group.n, k: own.n, sums: [own.fallbacks, group.calls, 0] })
    }
  }
}

/** A model that is new to a request: its share was none for as long as the request is known. */
const addModel = (
  shares: WatchedShares,
  index: ModelIndex,
  { group, name, ms }: { group: number; name: Words; ms: number }
): void => {
  if (modelsOf(index, name).some(([model]) => model === name[4])) return
  const slot = shareSlot(shares, name, ms)
  if (slot === NO_SLOT) return
  inheritNone(shares.slots.records, slot, group)
  addToIndex(index, name, slot)
}
