import type { Draft } from '../define.ts'
import { endDraft, judgedKey, type ShareEvent } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import { failureDraft, failureFingerprint } from './finding.ts'
import { describeLoops } from './loops.ts'
import { carriersOf, leavesOf, type Carrier, type Leaf } from './carriers.ts'
import type { State } from './state.ts'

/** Turns what happened to series in a minute into findings that open and close. */

const LEVELS = ['fleet', 'model', 'leaf']
const levelOf = ({ name }: ShareEvent): number => LEVELS.indexOf(name[1] ?? '')
/** Change points of one cause are estimated at most this far apart. */
const SAME_CHANGE_MS = 30 * 60_000
/** A model's share over fewer tenants than this is just those tenants. */
const FLEET_TENANTS_MIN = 3
/** One part that makes this share of a rise is the whole story. */
const CARRIED_SHARE = 0.8

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
const isNarrower = (state: State, event: ShareEvent): boolean => {
  const [, level] = event.name
  const leaves = leavesOf(state, event.name)
  if (level === 'model') return leaves.length < 2
  const tenants = new Set(leaves.map(({ tenant }) => tenant))
  if (tenants.size < FLEET_TENANTS_MIN) return true
  return carrierOfMost(carriersOf(state, event), ({ tenant }) => tenant) !== undefined
}

/** The schema that makes most of a model's rise while others are asked for too. */
const narrowedTo = (state: State, { name, change }: ShareEvent, carriers: readonly Carrier[]) => {
  if (name[1] !== 'model') return null
  const schema = carrierOfMost(carriers, (one) => one.schema)
  const isAlone = (one: Leaf): boolean => one.schema === schema || one.lastMs < change.before.toMs
  return schema == null || leavesOf(state, name).every(isAlone) ? null : schema
}

/** The part that makes nearly all of the excess, if one does. */
const carrierOfMost = (
  carriers: readonly Carrier[],
  partOf: (carrier: Carrier) => string | null
): string | null | undefined => {
  const excess = new Map<string | null, number>()
  for (const one of carriers) {
    excess.set(partOf(one), (excess.get(partOf(one)) ?? 0) + one.excess)
  }
  const all = [...excess.values()].reduce((sum, one) => sum + one, 0)
  return [...excess].find(([, one]) => one >= CARRIED_SHARE * all)?.[0]
}

const draftOf = (state: State, event: ShareEvent, ms: number): Draft => {
  const carriers = carriersOf(state, event)
  const rings = carriers.flatMap(({ series }) => state.ended.get(series) ?? [])
  return failureDraft(event, {
    detectedMs: ms,
    carriers,
    schema: narrowedTo(state, event, carriers),
    loops: describeLoops([rings], event.change.before.toMs),
    costFloorUsdPerHour: state.settings.costFloorUsdPerHour
  })
}
