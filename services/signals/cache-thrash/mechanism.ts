import type { Attribution, Share } from './attribution.ts'
import type { Cause, Mechanism } from './cause.ts'
import type { Pool } from './pool.ts'
import type { Rates } from './tenant-ring.ts'

/** Decides why a hit rate collapsed, from what was sent and what was served (usage alone). */

/** A tenant's part of its misses that a cause must explain. */
const EXPLAINS_MIN = 0.5
/** Traffic below this share of before makes expiry likely. */
const QUIET_RATIO = 0.5
/** Tenants in the ranking that a finding lists. */
const CONTRIBUTORS_MAX = 10

export type Suspicion = {
  /** Whose collapse it is; null for a pool's. */
  tenant: string | null
  pool: Pool | null
  attribution: Attribution | null
  /** Neither reads nor writes since the change, though both were there before. */
  cachingOff: boolean
  /** Model that took over at the change, if one did. */
  newModel: string | null
}

export const explain = (suspicion: Suspicion): Cause => {
  const { attribution, tenant } = suspicion
  const own = attribution?.ranking.find((share) => share.tenant === tenant)
  if (suspicion.cachingOff) return simple('caching-off', 'medium', 'client')
  if (suspicion.newModel !== null) return modelSwitch(suspicion.newModel)
  if (attribution === null || suspicion.pool === null) return simple('unknown', 'low', 'client')
  if (tenant === null || own === undefined) return explainPool(suspicion, attribution)
  return explainTenant(suspicion, attribution, own)
}

const SENTENCES: Readonly<Record<Mechanism, string>> = {
  'own-prefix-broke-early': 'its prompts now differ from their first block on',
  'own-prefix-broke-mid-prompt': 'its prompts keep their first block and differ after it',
  'own-volume-grew': 'it sends more prompts of the same shape',
  'evicted-by-neighbour': 'prompts seen before are no longer in the shared cache',
  'ttl-lapse': 'its traffic fell, and prefixes expire between calls',
  'caching-off': 'neither cache reads nor writes are reported any more',
  'model-switch': 'another model took over, with a cache of its own',
  'provider-regression': 'prompts seen before are not served, and no neighbour grew',
  unknown: 'usage alone does not tell why'
}

const simple = (
  mechanism: Mechanism,
  confidence: Cause['confidence'],
  axis: Cause['axis']
): Cause => ({
  mechanism,
  confidence,
  axis,
  sentence: SENTENCES[mechanism],
  culprit: null,
  victims: [],
  contributors: []
})

/** Many tenants of one model fall together, and no few of them carry it. */
export const explainModel = (): Cause => ({
  ...simple('provider-regression', 'low', 'provider'),
  sentence: 'many tenants fall together, so what they share is at fault'
})

const modelSwitch = (model: string): Cause => ({
  ...simple('model-switch', 'medium', 'model'),
  sentence: `traffic moved to ${model}, whose cache is its own`
})

const explainTenant = (suspicion: Suspicion, attribution: Attribution, own: Share): Cause => {
  const shared = { contributors: contributors(attribution) }
  if (attribution.basis === 'counts') {
    return { ...simple('unknown', 'low', 'client'), ...named(suspicion, attribution), ...shared }
  }
  const missGrowth = shareOf(own.after, missed) - shareOf(own.before, missed)
  const novel = shareOf(own.after, novelTokens) - shareOf(own.before, novelTokens)
  if (novel >= EXPLAINS_MIN * missGrowth) {
    const mechanism = ownMechanism(own)
    const others = attribution.victims.filter((victim) => victim !== own)
    return {
      ...simple(mechanism, 'high', 'prompt'),
      culprit: culpritFigures(own, attribution, 'high'),
      victims: others.map(victimFigures),
      ...shared
    }
  }
  return { ...explainReMisses(suspicion, attribution, own), ...shared }
}

const explainReMisses = (suspicion: Suspicion, attribution: Attribution, own: Share): Cause => {
  const [first] = attribution.culprits
  const guilty = named(suspicion, attribution)
  if (first !== undefined && first !== own && guilty.culprit !== null) {
    return {
      ...simple(
        'evicted-by-neighbour',
        suspicion.pool?.assumed === true || !first.sure ? 'medium' : 'high',
        'client'
      ),
      sentence: `prompts seen before are no longer in the shared cache, since ${first.tenant} puts in more`,
      ...guilty
    }
  }
  if (own.after.events < QUIET_RATIO * own.before.events)
    return simple('ttl-lapse', 'medium', 'client')
  return {
    ...simple('provider-regression', 'low', 'provider'),
    victims: attribution.victims.map(victimFigures)
  }
}

const explainPool = (suspicion: Suspicion, attribution: Attribution): Cause => {
  const guilty = named(suspicion, attribution)
  const [first, second] = attribution.culprits
  const shared = {
    contributors: contributors(attribution),
    victims: attribution.victims.map(victimFigures)
  }
  if (first === undefined || guilty.culprit === null) {
    return {
      ...simple('unknown', 'low', 'provider'),
      sentence: 'no tenant stands out as the cause',
      ...shared
    }
  }
  const mechanism = ownMechanism(first)
  const who =
    second === undefined
      ? `${first.tenant} pushes the others`
      : `${first.tenant} and ${second.tenant} push the others`
  const told = first.sure ? 'high' : 'medium'
  return {
    ...simple('evicted-by-neighbour', attribution.basis === 'counts' ? 'low' : told, 'prompt'),
    sentence: `${who} out of it: ${SENTENCES[mechanism]}`,
    culprit: { ...guilty.culprit, mechanism },
    ...shared
  }
}

/**
 * How the culprit's own prompts changed. New tokens are events times new tokens per event: whichever
 * grew by the larger factor is the reason, as more of the same prompts bring more new ones, too.
 */
export const ownMechanism = ({ before, after }: Share): Mechanism => {
  const grew = (of: (rates: Rates) => number): number => of(after) / Math.max(of(before), 1e-9)
  const novel = shareOf(after, novelTokens) - shareOf(before, novelTokens)
  const head = shareOf(after, headTokens) - shareOf(before, headTokens)
  if (novel < NOVEL_SHARE_MIN || grew(eventsOf) >= grew(novelPerEvent)) return 'own-volume-grew'
  return head >= EXPLAINS_MIN * novel ? 'own-prefix-broke-early' : 'own-prefix-broke-mid-prompt'
}

/** Growth of the novel share of input below which the shape of prompts did not change. */
const NOVEL_SHARE_MIN = 0.1

const shareOf = (rates: Rates, tokens: (rates: Rates) => number): number =>
  rates.input > 0 ? tokens(rates) / rates.input : 0
const missed = ({ input, cached }: Rates): number => input - cached
const novelTokens = ({ novel }: Rates): number => novel
const eventsOf = ({ events }: Rates): number => events
const novelPerEvent = ({ novel, events }: Rates): number => (events > 0 ? novel / events : 0)
const headTokens = ({ headNovel }: Rates): number => headNovel

/** Culprit and victims as figures; no culprit where the ranking is inconclusive. */
const named = (
  suspicion: Suspicion,
  attribution: Attribution
): { culprit: Cause['culprit']; victims: Cause['victims'] } => {
  const [first, second] = attribution.culprits
  const victims = attribution.victims.map(victimFigures)
  if (first === undefined) return { culprit: null, victims }
  const doubtful = suspicion.pool?.assumed === true || second !== undefined || !first.sure
  const told = doubtful ? 'medium' : 'high'
  const confidence = attribution.basis === 'counts' ? 'low' : told
  const culprit = culpritFigures(first, attribution, confidence)
  return { culprit: second === undefined ? culprit : { ...culprit, also: second.tenant }, victims }
}

const perMinute = (rates: Rates, label: string) => ({
  [`events_per_minute_${label}`]: round(rates.events),
  [`input_tokens_per_minute_${label}`]: round(rates.input),
  [`novel_tokens_per_minute_${label}`]: round(rates.novel),
  [`footprint_tokens_${label}`]: round(rates.alive)
})

const culpritFigures = (share: Share, attribution: Attribution, confidence: string) => ({
  tenant: share.tenant,
  confidence,
  basis: attribution.basis,
  margin_pct: round(100 * attribution.margin),
  ...perMinute(share.before, 'before'),
  ...perMinute(share.after, 'after')
})

const victimFigures = (share: Share) => ({
  tenant: share.tenant,
  lost_share_pct: round(100 * share.lost),
  remissed_tokens_per_minute_before: round(Math.max(0, share.before.remiss)),
  remissed_tokens_per_minute_after: round(Math.max(0, share.after.remiss)),
  hit_rate_pct_before: round(100 * shareOf(share.before, ({ cached }) => cached)),
  hit_rate_pct_after: round(100 * shareOf(share.after, ({ cached }) => cached))
})

const contributors = ({ ranking }: Attribution): Cause['contributors'] =>
  ranking.slice(0, CONTRIBUTORS_MAX).map((share) => ({
    tenant: share.tenant,
    score: Math.round(share.score * 100) / 100,
    ...perMinute(share.before, 'before'),
    ...perMinute(share.after, 'after')
  }))

const round = (value: number): number => Math.round(value * 10) / 10
