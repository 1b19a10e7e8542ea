import { inheritNone } from '../statistics/rise-change.ts'
import { wordsOf, type Words } from '../statistics/series-slots.ts'
import { gather, NO_SLOT, shareSlot, type WatchedShares } from '../statistics/watched-shares.ts'

/**
 * What a router newly decides: the first turn of a conversation, and every call outside of one.
 * Later turns follow the first, so they would count one decision many times.
 */

/** How often a request was decided for one model in the running minute: one object a run. */
export type Served = { model: string; n: number; fallbacks: number }

/** What was asked for, of whom and by which route, and what was decided in the running minute: one object a run. */
export type Request = {
  tenant: string
  name: Words
  key: string
  /** Its series and those of the models that it ever got; null while they are not looked up. */
  found: { slot: number; models: Models } | null
  /** Every model that it got in this run. */
  byModel: Map<string, Served>
  /** Decisions and calls of the minute, and the models decided for in it, by their first decision. */
  n: number
  calls: number
  served: Served[]
}

/** Requests with calls in the running minute. */
export type Decisions = Request[]

export const createRequest = (
  tenant: string,
  asked: string | null,
  route: string | null
): Request => {
  const name = [tenant, 'asked', asked, route]
  const [key, byModel] = [groupKey(name), new Map()]
  return { tenant, name, key, found: null, byModel, n: 0, calls: 0, served: [] }
}

export const servedBy = ({ byModel }: Request, model: string): Served => {
  const known = byModel.get(model)
  if (known !== undefined) return known
  const served = { model, n: 0, fallbacks: 0 }
  byModel.set(model, served)
  return served
}

/** Counts a call that one model served; `isNew` says whether it was decided anew. */
export const decided = (
  decisions: Decisions,
  { request, served }: { request: Request; served: Served },
  isFallback: number,
  isNew: boolean
): void => {
  if (request.calls === 0) decisions.push(request)
  request.calls += 1
  if (!isNew) return
  request.n += 1
  if (served.n === 0) request.served.push(served)
  served.n += 1
  served.fallbacks += isFallback
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

/** Adds the minute's decisions to the share of every model that the request ever got, and begins the next. */
export const gatherDecisions = (
  shares: WatchedShares,
  index: ModelIndex,
  decisions: Decisions,
  ms: number
): void => {
  for (const request of decisions) {
    request.found ??= findShares(shares, index, request, ms)
    if (request.found !== null) gatherRequest(shares, request, request.found, ms)
    for (const one of request.served) one.n = one.fallbacks = 0
    request.served.length = request.n = request.calls = 0
  }
  decisions.length = 0
}

type Found = NonNullable<Request['found']>

const gatherRequest = (
  shares: WatchedShares,
  request: Request,
  { slot, models }: Found,
  ms: number
): void => {
  const { n, calls, served } = request
  for (const { model } of served) {
    if (models.some(([known]) => known === model)) continue
    addModel(shares, request, { slot, models, model, ms })
  }
  gather(shares, slot, { n, k: 0, sums: [0, calls, 0] })
  for (const [model, series] of models) {
    const own = served.find((one) => one.model === model)
    gather(shares, series, { n, k: own?.n ?? 0, sums: [own?.fallbacks ?? 0, calls, 0] })
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
