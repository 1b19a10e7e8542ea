import type { Draft } from '../define.ts'
import {
  carrierOfMost,
  carriersOf,
  leavesOf,
  type Carrier,
  type Leaf
} from '../statistics/share-carriers.ts'
import { endDraft, judgedKey, type ShareEvent } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import { failureDraft, failureFingerprint } from './finding.ts'
import { describeLoops } from './loops.ts'
import type { State } from './state.ts'

/** Turns what happened to series in a minute into findings that open and close. */

const LEVELS = ['fleet', 'model', 'leaf']
const levelOf = ({ name }: ShareEvent): number => LEVELS.indexOf(name[1] ?? '')
/** Change points of one cause are estimated at most this far apart. */
const SAME_CHANGE_MS = 30 * 60_000
/** A model's share over fewer tenants than this is just those tenants. */
const FLEET_TENANTS_MIN = 3

/** The wider finding first: the narrower ones of the same change are then told there. */
export const decide = (state: State, events: readonly ShareEvent[], ms: number): Draft[] =>
  [...events]
    .sort((a, b) => levelOf(a) - levelOf(b))
    .map((event) => decideSeries(state, event, ms))
    .filter((draft) => draft !== null)

const decideSeries = (state: State, event: ShareEvent, ms: number): Draft | null => {
  const key = judgedKey(event)
  if (event.outcome === 'opened') {
    if (state.open.has(key) || isTold(state, event)) return null
    const draft = draftOf(state, event, ms)
    state.open.set(key, draft)
    return draft
  }
  const draft = state.open.get(key)
  if (draft === undefined || draft.fingerprint !== failureFingerprint(event)) return null
  state.open.delete(key)
  return endDraft(draft, ms, event.outcome)
}

/** Whether a finding that is open tells of this change already. */
const isTold = (state: State, event: ShareEvent): boolean => {
  const { name, change } = event
  const [tenant, level, model] = name
  if (level !== 'leaf' && isNarrower(state, event)) return true
  return [...state.open].some(([key, draft]) => {
    const [otherTenant, otherLevel, otherModel] = JSON.parse(key) as Words
    if (otherModel !== model) return false
    const near = Math.abs(Date.parse(draft.started_at) - change.before.toMs) <= SAME_CHANGE_MS
    if (level === 'fleet' || otherLevel === 'fleet') return near
    if (otherTenant !== tenant) return false
    return otherLevel === 'model' || level === 'model' || near
  })
}

/** A wider series that is but one narrower one: that one tells of it. */
const isNarrower = (state: State, { name }: ShareEvent): boolean => {
  const leaves = leavesUnder(state, name)
  if (name[1] === 'model') return leaves.length < 2
  if (new Set(leaves.map(({ words }) => words[0])).size < FLEET_TENANTS_MIN) return true
  const carriers = carriersOf(state.shares.slots, leaves)
  return carrierOfMost(carriers, ([tenant]) => tenant ?? null) !== undefined
}

const leavesUnder = (state: State, name: Words): Leaf[] =>
  leavesOf(state.shares.slots, ([tenant, level, model, schema]) => {
    if (level !== 'leaf' || model !== name[2]) return false
    if (name[1] === 'fleet') return true
    if (tenant !== name[0]) return false
    return name[1] === 'model' || schema === name[3]
  })

/** The schema that makes most of a model's rise while others are asked for too. */
const narrowedTo = (
  { name, change }: ShareEvent,
  leaves: readonly Leaf[],
  carriers: readonly Carrier[]
): string | null => {
  if (name[1] !== 'model') return null
  const schema = carrierOfMost(carriers, (words) => words[3] ?? null)
  const isElse = ({ words, lastMs }: Leaf): boolean =>
    words[3] !== schema && lastMs >= change.before.toMs
  return schema != null && leaves.some(isElse) ? schema : null
}

const draftOf = (state: State, event: ShareEvent, ms: number): Draft => {
  const leaves = leavesUnder(state, event.name)
  const carriers = carriersOf(state.shares.slots, leaves)
  const rings = carriers.flatMap(({ series }) => {
    const ring = state.ended.get(series)
    return ring === undefined ? [] : [ring]
  })
  return failureDraft(event, {
    detectedMs: ms,
    carriers,
    schema: narrowedTo(event, leaves, carriers),
    loops: describeLoops(rings, event.change.before.toMs),
    costFloorUsdPerHour: state.settings.costFloorUsdPerHour
  })
}
