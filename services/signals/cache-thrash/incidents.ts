import type { Draft } from '../define.ts'
import { mixtureNats } from '../statistics/evidence.ts'
import { rateChange, type RateChange } from '../statistics/rate-change.ts'
import { D, RATE_SHAPE } from '../statistics/rate-record.ts'
import { attribute } from './attribution.ts'
import type { Cause } from './cause.ts'
import { collapseDraft, seriesFingerprint, type Collapse } from './finding.ts'
import { explain, explainModel } from './mechanism.ts'
import type { Pool } from './pool.ts'
import { resolvedDraft } from './pool-incident.ts'
import type { SeriesEvent } from './judge.ts'
import { seriesKey, type SeriesName } from './series.ts'
import { silenceDraft } from './silence-finding.ts'
import type { State } from './state.ts'
import { meanOver, RING_MINUTES } from './tenant-ring.ts'

/** Turns what happened to series and pools in a minute into findings that open and close. */

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export const decide = (state: State, events: readonly SeriesEvent[], ms: number): Draft[] => {
  const drafts = [...events].sort(byLevel(state)).map((event) => decideSeries(state, event, ms))
  return drafts.filter((draft) => draft !== null)
}

/** Tenants before their leaves: the wider finding is the one that opens. */
const byLevel =
  (state: State) =>
  (a: SeriesEvent, b: SeriesEvent): number => {
    const [one, other] = [state.series.names[a.slot]!, state.series.names[b.slot]!]
    const order = ['model', 'tenant', 'leaf']
    const [x, y] = [seriesKey(one), seriesKey(other)]
    return order.indexOf(one.level) - order.indexOf(other.level) || (x < y ? -1 : 1)
  }

const decideSeries = (state: State, { slot, outcome }: SeriesEvent, ms: number): Draft | null => {
  const name = state.series.names[slot]!
  if (outcome === 'silent' || outcome === 'speaking') {
    return toggle(state, `silence|${name.tenant}`, ms, () =>
      outcome === 'silent' ? silenceDraft(name, ms) : null
    )
  }
  const key = openKey(name)
  if (outcome === 'opened') {
    if (state.open.has(key) || isListedVictim(state, name.tenant)) return null
    if (name.level === 'model' && isExplained(state, slot)) return null
    markIncident(state, slot, ms)
    const draft = collapseDraft(collapseOf(state, slot, ms))
    state.open.set(key, draft)
    return draft
  }
  const draft = state.open.get(key)
  const day = incidentDay(state, slot)
  if (draft === undefined || draft.fingerprint !== seriesFingerprint(name, day)) return null
  state.open.delete(key)
  return resolved(draft, ms, outcome)
}

/** A model's rate may fall for a few of its tenants, who are then told of already. */
const isExplained = (state: State, slot: number): boolean => {
  const startedMs = state.series.records.doubles[slot * RATE_SHAPE.doubles + D.startedMs]!
  const near = (draft: Draft): boolean =>
    draft.scope['level'] !== 'model' &&
    Math.abs(Date.parse(draft.started_at) - startedMs) <= SAME_CHANGE_MS
  if ([...state.incidents.values()].some(({ draft }) => near(draft))) return true
  const told = [...state.open.values()].filter(near).length
  return told > 0 && told < PARENT_CHILDREN_MIN
}

/** Change points of one cause are estimated at most this far apart. */
const SAME_CHANGE_MS = 30 * MINUTE_MS
/** With this many tenants down at once, what they share is worth a finding of its own. */
const PARENT_CHILDREN_MIN = 3

/** A tenant that an open incident of its cache lists as a victim is told there, once. */
const isListedVictim = (state: State, tenant: string | null): boolean =>
  tenant !== null &&
  [...state.incidents.values()].some(({ draft }) =>
    draft.victims.some((victim) => victim['tenant'] === tenant)
  )

/** One incident at a time per tenant, whichever of its series saw it first. */
const openKey = (name: SeriesName): string =>
  name.level === 'model' ? `model|${seriesKey(name)}` : `tenant|${name.tenant}`

/** Within a day after recovery the same series reopens the same incident. */
const markIncident = (state: State, slot: number, ms: number): void => {
  const d = state.series.records.doubles
  const at = slot * RATE_SHAPE.doubles
  const flaps = d[at + D.incidentDay]! > 0 && ms - d[at + D.resolvedMs]! < DAY_MS
  if (!flaps) d[at + D.incidentDay] = Math.floor(d[at + D.startedMs]! / DAY_MS)
}

const incidentDay = (state: State, slot: number): number =>
  state.series.records.doubles[slot * RATE_SHAPE.doubles + D.incidentDay]!

const collapseOf = (state: State, slot: number, ms: number): Collapse => {
  const { records, names } = state.series
  const name = names[slot]!
  const change = rateChange(records, slot)
  return {
    name,
    change,
    detectedMs: ms + MINUTE_MS,
    incidentDay: incidentDay(state, slot),
    evidenceNats: mixtureNats(records.doubles, slot * RATE_SHAPE.doubles),
    cause: causeOf(state, slot, change)
  }
}

const causeOf = (state: State, slot: number, change: RateChange): Cause => {
  const name = state.series.names[slot]!
  const pool = poolOf(state, name.tenant)
  const start = Math.floor(change.before.toMs / MINUTE_MS)
  if (name.level === 'model') return explainModel()
  return explain({
    tenant: name.tenant,
    pool,
    attribution: pool === null ? null : attribute(pool, start, pool.lastMinute),
    cachingOff: isCachingOff(state, slot, change),
    newModel: newModelOf(state, name, change)
  })
}

/** The pool that holds most of what the tenant sent. */
const poolOf = (state: State, tenant: string | null): Pool | null => {
  if (tenant === null) return null
  const sent = (pool: Pool): number => {
    const slot = pool.tenants.get(tenant)
    const from = pool.lastMinute - RING_MINUTES + 1
    return slot === undefined ? 0 : meanOver(pool.ring, slot, from, pool.lastMinute + 1).input
  }
  const pools = [...state.pools.values()].filter((pool) => pool.tenants.has(tenant))
  return pools.sort((a, b) => sent(b) - sent(a) || (a.name < b.name ? -1 : 1))[0] ?? null
}

const isCachingOff = (state: State, slot: number, { before, after }: RateChange): boolean => {
  const d = state.series.records.doubles
  const at = slot * RATE_SHAPE.doubles
  const wrote = d[at + D.lastWriteMs]! > 0
  return wrote && d[at + D.lastWriteMs]! < before.toMs && after.h === 0
}

/** A leaf that came with the change and carries most of the traffic since. */
const newModelOf = (
  state: State,
  name: SeriesName,
  { before, after }: RateChange
): string | null => {
  if (name.level !== 'tenant') return null
  const { series } = state
  for (const key of series.leaves.get(name.tenant ?? '') ?? []) {
    const slot = series.slots.get(key)
    if (slot === undefined) continue
    const at = slot * RATE_SHAPE.doubles
    const d = series.records.doubles
    const isNew = d[at + D.firstMs]! >= before.toMs - NEW_MODEL_LEAD_MS
    if (isNew && d[at + D.totalW]! > after.w / 2) return series.names[slot]!.model
  }
  return null
}

/** The change point may be estimated this much later than the new model's first call. */
const NEW_MODEL_LEAD_MS = 10 * MINUTE_MS

const toggle = (state: State, key: string, ms: number, make: () => Draft | null): Draft | null => {
  const draft = make()
  const open = state.open.get(key)
  if (draft !== null && open === undefined) {
    state.open.set(key, draft)
    return draft
  }
  if (draft !== null || open === undefined) return null
  state.open.delete(key)
  return resolved(open, ms, 'resolved')
}

const resolved = (draft: Draft, ms: number, outcome: 'resolved' | 'accepted'): Draft =>
  resolvedDraft(
    draft,
    ms,
    outcome === 'resolved' ? 'Recovered.' : 'Lasted so long that it is now the baseline.'
  )
