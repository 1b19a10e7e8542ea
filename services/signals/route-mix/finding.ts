import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import { pct, usdPerHour, type ShareEvent } from '../statistics/share-incidents.ts'
import { flipQuery, mixQuery } from './queries.ts'
import type { Settings } from './settings.ts'
import { costPerCall, sideFigures, type Side } from './sides.ts'

/** Turns a move of the mix, or switches, into the finding that people read. */

/** One of the models that the same request gets. Shares are null where they are not known. */
export type Product = {
  model: string
  before: number | null
  after: number | null
  side: Side | null
}

export type Circumstances = {
  detectedMs: number
  /** The model that gained; null for switches. */
  model: string | null
  products: readonly Product[]
  settings: Settings
}

const MINUTE_MS = 60_000
/** Points by which refusals or format failures of the other side are worse, to be critical. */
const CRITICAL_POINTS = 10
/** Points that are a side effect at all. */
const WORSE_POINTS = 2

const iso = (ms: number): string => new Date(ms).toISOString()

export const movedFingerprint = ({ name, incidentDay }: ShareEvent): string =>
  fingerprint('route-mix', ...name.slice(0, 4), incidentDay)

export const mixDraft = (event: ShareEvent, around: Circumstances): Draft => {
  const { change, name } = event
  const [tenant, , asked, route] = name
  const to = around.products.find(({ model }) => model === around.model) ?? null
  const from = lostTo(around)
  const extra = extraPerHour(event, from, to)
  return {
    ...common(event, around),
    severity: severityOf(from, to, { extra, settings: around.settings }),
    scope: {
      level: 'mix',
      model: around.model ?? '',
      ...(asked == null ? {} : { requested_model: asked }),
      ...(route == null ? {} : { route })
    },
    axis: change.after.sums[0] * 2 > change.after.k ? 'provider' : 'model',
    summary: `${tenant} asks for ${asked ?? 'a model'}${route == null ? '' : ` by ${route}`} and gets ${around.model} in ${pct(shareOf(change.after))} % instead of ${pct(shareOf(change.before))} % of ${change.after.n} decisions${from === null ? '' : `, at the cost of ${from.model}`}${effects(from, to)}`,
    before: mixFigures(change.before),
    after: {
      ...mixFigures(change.after),
      mix_distance_pct: pct(distance(around.products)),
      fallbacks: change.after.sums[0],
      evidence_nats: Math.round(event.evidenceNats * 10) / 10
    },
    cost_usd_per_hour: extra,
    culprit:
      asked === around.model || asked == null
        ? null
        : { requested_model: asked, resolved_model: around.model },
    query: mixQuery(event)
  }
}

export const flipDraft = (event: ShareEvent, around: Circumstances): Draft => {
  const { change, name } = event
  const [tenant, level] = name
  const [one, other] = around.products
  const who = level === 'user' ? 'end users coming back' : 'turns in a conversation'
  return {
    ...common(event, around),
    severity: severityOf(one ?? null, other ?? null, { extra: null, settings: around.settings }),
    scope: { level: level ?? '' },
    axis: 'model',
    summary: `${tenant}: ${pct(shareOf(change.after))} % of ${who} get another model than before for the same request, instead of ${pct(shareOf(change.before))} %; ${change.after.sums[0]} of ${change.after.k} switches lead back${effects(one ?? null, other ?? null)}`,
    before: flipFigures(change.before),
    after: {
      ...flipFigures(change.after),
      evidence_nats: Math.round(event.evidenceNats * 10) / 10
    },
    cost_usd_per_hour: null,
    culprit: null,
    query: flipQuery(event)
  }
}

const common = (event: ShareEvent, { detectedMs, products }: Circumstances) => ({
  fingerprint: movedFingerprint(event),
  status: 'firing' as const,
  tenant: event.name[0] ?? null,
  started_at: iso(event.change.before.toMs),
  detected_at: iso(detectedMs + MINUTE_MS),
  victims: [],
  contributors: products.map(({ model, before, after, side }) => ({
    model,
    share_before_pct: before === null ? null : pct(before),
    share_after_pct: after === null ? null : pct(after),
    ...(side === null ? {} : sideFigures(side))
  }))
})

const mixFigures = (stretch: RiseStretch) => ({
  share_pct: pct(shareOf(stretch)),
  decisions: stretch.n,
  calls: stretch.sums[1],
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

const flipFigures = (stretch: RiseStretch) => ({
  switch_pct: pct(shareOf(stretch)),
  turns: stretch.n,
  switches: stretch.k,
  ways_back: stretch.sums[0],
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

/** The model that had most of what the risen ones now get. */
const lostTo = ({ products, model }: Circumstances): Product | null =>
  products
    .filter((product) => product.after === null && product.model !== model)
    .sort((a, b) => (b.before ?? 0) - (a.before ?? 0))[0] ?? null

/** Total variation: the share of decisions that now get another model. */
const distance = (products: readonly Product[]): number =>
  products.reduce((sum, { before, after }) => sum + Math.max(0, (after ?? 0) - (before ?? 0)), 0)

/** What the moved calls cost more on the other model; null when one of them is not priced. */
const extraPerHour = (
  { change: { before, after } }: ShareEvent,
  from: Product | null,
  to: Product | null
): string | null => {
  const [old, now] = [from, to].map((one) => (one?.side == null ? null : costPerCall(one.side)))
  if (old == null || now == null) return null
  const moved = after.sums[1] * (shareOf(after) - shareOf(before))
  return usdPerHour((now - old) * moved, after.toMs - after.fromMs)
}

/** Points by which the second side refuses, or fails its format, more than the first. */
const worsePoints = (from: Product | null, to: Product | null): number => {
  if (from?.side == null || to?.side == null) return 0
  const [one, other] = [sideFigures(from.side), sideFigures(to.side)]
  const more = (a: number | null, b: number | null): number =>
    a === null || b === null ? 0 : b - a
  return Math.max(
    more(one.refusal_pct, other.refusal_pct),
    more(one.format_failure_pct, other.format_failure_pct)
  )
}

const severityOf = (
  from: Product | null,
  to: Product | null,
  { extra, settings }: { extra: string | null; settings: Settings }
): Draft['severity'] => {
  const points = worsePoints(from, to)
  if (points >= CRITICAL_POINTS) return 'critical'
  const isCheap = extra !== null && Number(extra) < settings.costFloorUsdPerHour
  return points < WORSE_POINTS && isCheap ? 'info' : 'warning'
}

const effects = (from: Product | null, to: Product | null): string => {
  if (from?.side == null || to?.side == null) return ''
  const [one, other] = [sideFigures(from.side), sideFigures(to.side)]
  const parts = [
    compare('refusals', one.refusal_pct, other.refusal_pct, ' %'),
    compare('format failures', one.format_failure_pct, other.format_failure_pct, ' %'),
    compare('score', one.score_mean, other.score_mean, ''),
    compare('cost per call', one.usd_per_call, other.usd_per_call, ' USD')
  ].filter((part) => part !== null)
  return parts.length === 0 ? '' : ` (${from.model} against ${to.model}: ${parts.join(', ')})`
}

const compare = (
  what: string,
  one: number | string | null,
  other: number | string | null,
  unit: string
): string | null =>
  one === null || other === null || one === other ? null : `${what} ${one} / ${other}${unit}`
