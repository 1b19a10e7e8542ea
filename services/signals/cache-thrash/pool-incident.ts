import type { Draft } from '../define.ts'
import { aliveGrowthShare, attribute, type Attribution, type Suspected } from './attribution.ts'
import { iso } from './finding.ts'
import { measureHarm, recentReuse, type Harm } from './harm.ts'
import { explain } from './mechanism.ts'
import type { Pool } from './pool.ts'
import { poolDraft } from './pool-finding.ts'
import { servedLess, type ServedCurve } from './served-curve.ts'
import { suspects, updateSuspicion, type Suspect } from './suspicion.ts'

/**
 * Opens an incident of a shared cache when somebody's prompts changed and the others lose: two
 * weak pieces of evidence that are independent when nothing is wrong, so their nats add up.
 */

export type PoolIncident = {
  startMinute: number
  openMinute: number
  /** Reuse of the others before the change: what recovery is measured against. */
  reuseBefore: number
  /** Share of reuse by gap that was served then. */
  curve: ServedCurve
  suspect: string | null
  calmMinutes: number
  draft: Draft
}

/** Nats of suspicion and harm together: false once in e¹⁴ pool minutes, two years. */
const TOGETHER_NATS = 14
/** Suspicion alone that a culprit must reach: four full minutes; harm must then give the rest. */
const CULPRIT_NATS = 9
/**
 * Standard errors of harm that must be seen at least. Prompts that changed shape are no chance, and
 * what newly fills a part of the cache leaves less of it to the others: little is asked of both.
 * Other growth may be healthy, so the others must clearly lose.
 */
const HARM_Z_MIN = { plain: 0.5, crowding: 1.2, healthy: 2 } as const
/** Evidence that needs no more than a hint of harm: seven or eight full minutes. */
const PLAIN_NATS = 18
/** Growth that crowds the others, as a share of all tokens that the cache keeps alive. */
const CROWDING_MIN = 0.05
/** And this much of the others' reuse. */
const HARM_MIN = 0.01
/** The figures are told again when the changed traffic was seen for so many minutes. */
const REFRESH_MINUTES = [10, 20]
/**
 * Who loses shows the more surely the longer it goes on: the ranking is made again every five minutes
 * for half an hour, as long as the ring also holds what was before, and told if it names others.
 */
const RANKING_MINUTES = 5
const RANKING_UNTIL_MINUTES = 30
/** Reuse over this many minutes must be back, for as many minutes in a row. */
const CALM_SPAN_MINUTES = 15
const CALM_MINUTES = 10
const MINUTE_MS = 60_000

/** Judges one pool's minute; `reuseFell` is the minute since which its reuse alone fell, if so. */
export const followPool = (
  pool: Pool,
  incident: PoolIncident | undefined,
  { minute, reuseFell }: { minute: number; reuseFell: number | null }
): PoolIncident | 'resolved' | null => {
  updateSuspicion(pool, minute)
  if (incident !== undefined) return followIncident(pool, incident, minute)
  const guilty = findGuilty(pool, minute)
  if (guilty !== null) return openIncident(pool, guilty.suspect, guilty.harm, minute)
  if (reuseFell === null) return null
  const harm = measureHarm(pool, '', reuseFell, minute)
  return harm === null ? null : openIncident(pool, { sinceMinute: reuseFell }, harm, minute)
}

/** Who keeps no more alive than before leaves the others as much room: it took nothing from them. */
const leastHarm = (suspect: Suspect, attribution: Attribution): number => {
  const growth = aliveGrowthShare(attribution, suspect.tenant)
  if (growth < HARM_MIN) return Infinity
  if (suspect.by === 'volume' && growth < CROWDING_MIN) return HARM_Z_MIN.healthy
  return suspect.nats >= PLAIN_NATS ? HARM_Z_MIN.plain : HARM_Z_MIN.crowding
}

/**
 * A tenant that has surely changed, and fills so much of a cache that was full, takes from the others
 * what they use again just before it is evicted: it is enough that they do not gain.
 */
const mustHarm = (
  pool: Pool,
  suspect: Suspect,
  { harm, attribution }: { harm: Harm; attribution: Attribution }
): boolean => {
  const growth = aliveGrowthShare(attribution, suspect.tenant)
  if (suspect.nats < PLAIN_NATS || growth < CROWDING_MIN || harm.z < 0) return false
  return servedLess(pool.gaps, growth) >= HARM_MIN
}

type Guilty = { suspect: Suspect; harm: Harm }

const findGuilty = (pool: Pool, minute: number): Guilty | null => {
  for (const suspect of suspects(pool, minute)) {
    if (suspect.nats < CULPRIT_NATS) continue
    const harm = measureHarm(pool, suspect.tenant, suspect.sinceMinute, minute)
    if (harm === null) continue
    if (suspect.nats + harm.nats < TOGETHER_NATS) continue
    const attribution = attribute(pool, suspect.sinceMinute, minute)
    const isSeen = harm.lost >= HARM_MIN && harm.z >= leastHarm(suspect, attribution)
    if (!isSeen && !mustHarm(pool, suspect, { harm, attribution })) continue
    if (attribution.culprits.some(({ tenant }) => tenant === suspect.tenant)) {
      return { suspect, harm }
    }
  }
  return null
}

const openIncident = (
  pool: Pool,
  { sinceMinute, tenant }: { sinceMinute: number; tenant?: string },
  harm: Harm,
  minute: number
): PoolIncident => ({
  startMinute: sinceMinute,
  openMinute: minute,
  reuseBefore: harm.before,
  curve: harm.curve,
  suspect: tenant ?? null,
  calmMinutes: 0,
  draft: draftOf(pool, { startMinute: sinceMinute, harm, minute })
})

type Told = { startMinute: number; harm: Harm; minute: number; named?: Suspected }

const draftOf = (pool: Pool, { startMinute, harm, minute, named }: Told): Draft => {
  const attribution: Attribution = attribute(pool, startMinute, minute, named)
  const cause = explain({ tenant: null, pool, attribution, cachingOff: false, newModel: null })
  return poolDraft({ pool, cause, harm, startMinute, nowMinute: minute })
}

/** Returns the incident, with a new draft where there is news. */
const followIncident = (
  pool: Pool,
  incident: PoolIncident,
  minute: number
): PoolIncident | 'resolved' => {
  const now = recentReuse(pool, incident.suspect, incident.curve, [
    minute - CALM_SPAN_MINUTES,
    minute + 1
  ])
  const calm = now !== null && now >= incident.reuseBefore - HARM_MIN
  const calmMinutes = calm ? incident.calmMinutes + 1 : 0
  if (calmMinutes >= CALM_MINUTES) return 'resolved'
  const followed = { ...incident, calmMinutes }
  const seen = minute + 1 - incident.startMinute
  if (seen % RANKING_MINUTES > 0 || seen > RANKING_UNTIL_MINUTES) return followed
  const suspect = incident.suspect ?? ''
  const harm = measureHarm(pool, suspect, incident.startMinute, minute)
  if (harm === null) return followed
  const named = namedIn(incident.draft)
  const draft = draftOf(pool, { startMinute: incident.startMinute, harm, minute, named })
  const isNews = REFRESH_MINUTES.includes(seen) || namesOf(draft) !== namesOf(incident.draft)
  if (!isNews) return followed
  return { ...followed, draft: { ...draft, fingerprint: incident.draft.fingerprint } }
}

/** Whom a finding names as culprits, and whether it is sure of them. */
const namedIn = ({ culprit }: Draft): Suspected => {
  const tenants = [culprit?.['tenant'], culprit?.['also']].filter((one) => one !== undefined)
  return new Map(tenants.map((one) => [String(one), culprit?.['confidence'] === 'high']))
}

/** Whom a finding names, as one text. */
const namesOf = ({ culprit, victims }: Draft): string => {
  const lost = victims.map(({ tenant }) => String(tenant)).sort()
  return JSON.stringify([culprit?.['tenant'] ?? null, culprit?.['also'] ?? null, ...lost])
}

export const resolvedDraft = (draft: Draft, ms: number, words = 'Recovered.'): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: iso(ms + MINUTE_MS),
  summary: `${words} ${draft.summary}`
})
