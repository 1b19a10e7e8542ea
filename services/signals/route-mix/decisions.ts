import { inheritNone } from '../statistics/rise-change.ts'
import { wordsOf, type Words } from '../statistics/series-slots.ts'
import { gather, NO_SLOT, shareSlot, type WatchedShares } from '../statistics/watched-shares.ts'

/**
 * What a router newly decides: the first turn of a conversation, and every call outside of one.
 * Later turns follow the first, so they would count one decision many times.
 */

type Decision = { n: number; fallbacks: number }
type Group = { n: number; calls: number; byModel: Map<string, Decision> }

/** What was asked for, of whom and by which route: one object a run. */
export type Request = {
  tenant: string
  name: Words
  key: string
  /** Its series and those of the models that it ever got; null while they are not looked up. */
  found: { slot: number; models: Models } | null
}

/** Decisions of a minute by what was asked for. */
export type Decisions = Map<Request, Group>

export const createDecisions = (): Decisions => new Map()

export const createRequest = (
  tenant: string,
  asked: string | null,
  route: string | null
): Request => {
  const name = [tenant, 'asked', asked, route]
  return { tenant, name, key: groupKey(name), found: null }
}

export type Decided = { model: string; isFallback: number }

/** Counts a call; `isNew` says whether it was decided anew. */
export const decided = (
  decisions: Decisions,
  request: Request,
  call: Decided,
  isNew: boolean
): void => {
  let group = decisions.get(request)
  if (group === undefined) {
    group = { n: 0, calls: 0, byModel: new Map() }
    decisions.set(request, group)
  }
  group.calls += 1
  if (!isNew) return
  group.n += 1
  let model = group.byModel.get(call.model)
  if (model === undefined) {
    model = { n: 0, fallbacks: 0 }
    group.byModel.set(call.model, model)
  }
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

type Models = [model: string, slot: number][]
/** The models that each request ever got, with their series; found anew in each run. */
export type ModelIndex = Map<string, Models>

export const indexModels = ({ slots }: WatchedShares): ModelIndex => {
  const index: ModelIndex = new Map()
  for (const slot of slots.slots.values()) {
    const words = wordsOf(slots, slot)
    if (words[1] === 'mix') modelsAt(index, groupKey(words)).push([words[4] ?? '', slot])
  }
  return index
}

const groupKey = ([tenant, , asked, route]: Words): string => JSON.stringify([tenant, asked, route])

const modelsAt = (index: ModelIndex, key: string): Models => {
  const known = index.get(key)
  if (known !== undefined) return known
  const models: Models = []
  index.set(key, models)
  return models
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
  for (const [request, group] of decisions) {
    request.found ??= findShares(shares, index, request, ms)
    if (request.found === null) continue
    const { slot, models } = request.found
    for (const model of group.byModel.keys()) {
      if (!models.some(([known]) => known === model)) {
        addModel(shares, request, { slot, models, model, ms })
      }
    }
    gather(shares, slot, { n: group.n, k: 0, sums: [0, group.calls, 0] })
    for (const [model, series] of models) {
      const own = group.byModel.get(model)
      const sums = [own?.fallbacks ?? 0, group.calls, 0] as const
      gather(shares, series, { n: group.n, k: own?.n ?? 0, sums })
    }
  }
}

/** Null when the tenant has too many series. */
const findShares = (
  shares: WatchedShares,
  index: ModelIndex,
  { name, key }: Request,
  ms: number
): Request['found'] => {
  const slot = shareSlot(shares, name, ms)
  return slot === NO_SLOT ? null : { slot, models: modelsAt(index, key) }
}

/** A model that is new to a request: its share was none for as long as the request is known. */
const addModel = (
  shares: WatchedShares,
  { name }: Request,
  { slot, models, model, ms }: { slot: number; models: Models; model: string; ms: number }
): void => {
  const own = shareSlot(shares, mixName(name, model), ms)
  if (own === NO_SLOT) return
  inheritNone(shares.slots.records, own, slot)
  models.push([model, own])
}
