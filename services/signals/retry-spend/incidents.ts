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
import { extraUsdPerHour, stormDraft, stormFingerprint } from './storm-finding.ts'
import { shareOf } from '../statistics/rise-change.ts'
import type { State } from './state.ts'

/** Turns what happened to series in a minute into findings that open and close. */

const LEVELS = ['provider', 'tenant', 'leaf']
const levelOf = ({ name }: ShareEvent): number => LEVELS.indexOf(name[1] ?? '')
/** Change points of one cause are estimated at most this far apart. */
const SAME_CHANGE_MS = 30 * 60_000
/** A provider's share over fewer tenants than this is just those tenants. */
const PROVIDER_TENANTS_MIN = 3

/** The wider finding first: the narrower ones of the same change are then told there. */
export const decide = (state: State, events: readonly ShareEvent[], ms: number): Draft[] =>
  [...events]
    .sort((a, b) => levelOf(a) - levelOf(b))
    .map((event) => decideSeries(state, event, ms))
    .filter((draft) => draft !== null)

const decideSeries = (state: State, event: ShareEvent, ms: number): Draft | null => {
  const key = judgedKey(event)
  if (event.outcome === 'opened') {
    const leaves = leavesUnder(state, event.name)
    const carriers = carriersOf(state.shares.slots, leaves)
    if (isNarrower(event, leaves, carriers) || isTold(state, event) || isSmall(state, event)) {
      return null
    }
    const draft = stormDraft(event, { detectedMs: ms, carriers, settings: state.settings })
    state.open.set(key, draft)
    return draft
  }
  const draft = state.open.get(key)
  if (draft === undefined || draft.fingerprint !== stormFingerprint(event)) return null
  state.open.delete(key)
  return endDraft(draft, ms, event.outcome)
}

const leavesUnder = (state: State, name: Words): Leaf[] =>
  leavesOf(state.shares.slots, (words) => {
    if (words[1] !== 'leaf') return false
    if (name[1] === 'provider') return words[2] === name[2]
    if (words[0] !== name[0]) return false
    return name[1] === 'tenant' || words.every((word, i) => word === name[i])
  })

/** A wider series that is but one narrower one: that one tells of it. */
const isNarrower = (
  { name }: ShareEvent,
  leaves: readonly Leaf[],
  carriers: readonly Carrier[]
): boolean => {
  if (name[1] === 'leaf') return false
  if (name[1] === 'tenant') return leaves.length < 2
  if (new Set(leaves.map(({ words }) => words[0])).size < PROVIDER_TENANTS_MIN) return true
  return carrierOfMost(carriers, ([tenant]) => tenant ?? null) !== undefined
}

/** Whether a finding that is open tells of this change already. */
const isTold = (state: State, { name, change }: ShareEvent): boolean => {
  const [tenant, level] = name
  return [...state.open].some(([key, draft]) => {
    const [otherTenant, otherLevel, otherProvider] = JSON.parse(key) as Words
    const near = Math.abs(Date.parse(draft.started_at) - change.before.toMs) <= SAME_CHANGE_MS
    if (level === 'provider' || otherLevel === 'provider') {
      return near && (level === 'tenant' || otherLevel === 'tenant' || otherProvider === name[2])
    }
    if (otherTenant !== tenant) return false
    return otherLevel === 'tenant' || level === 'tenant' || near
  })
}

/** Retries within the usual budget that cost next to nothing are nobody's business. */
const isSmall = ({ settings }: State, event: ShareEvent): boolean => {
  const extra = extraUsdPerHour(event)
  if (extra === null || Number(extra) >= settings.costFloorUsdPerHour) return false
  return shareOf(event.change.after) < settings.retryBudget
}
