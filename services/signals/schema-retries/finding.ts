import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import { pct, usdPerHour, type ShareEvent } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import type { Carrier } from '../statistics/share-carriers.ts'
import type { describeLoops } from './loops.ts'

/** Turns what was decided into the finding that people read. */

const MINUTE_MS = 60_000
const PICO_PER_USD = 1e12
/** As many first attempts failing again as before, and more, is critical. */
const CRITICAL_RATIO = 3

export type Evidence = {
  detectedMs: number
  carriers: readonly Carrier[]
  /** The schema that carries the rise of a model, where one does. */
  schema: string | null
  loops: ReturnType<typeof describeLoops>
  costFloorUsdPerHour: number
}

export const failureFingerprint = ({ name, incidentDay }: ShareEvent): string =>
  fingerprint('schema-retries', ...name, incidentDay)

export const failureDraft = (event: ShareEvent, evidence: Evidence): Draft => {
  const { name, change } = event
  const { loops, schema: narrowed } = evidence
  const scope = scopeOf(
    narrowed === null ? name : [name[0] ?? null, 'leaf', name[2] ?? null, narrowed]
  )
  const [tenant] = name
  const extra = extraPerHour(event)
  return {
    fingerprint: failureFingerprint(event),
    status: 'firing',
    severity: severityOf(event, extra, evidence.costFloorUsdPerHour),
    tenant: tenant ?? null,
    scope,
    // One schema of many points to what was asked; all of a model's to the model.
    axis: scope['level'] === 'schema' ? 'prompt' : 'model',
    started_at: iso(change.before.toMs),
    detected_at: iso(evidence.detectedMs + MINUTE_MS),
    summary: summary(event, evidence, extra),
    before: figures(change.before),
    after: {
      ...figures(change.after),
      evidence_nats: Math.round(event.evidenceNats * 10) / 10,
      loops_sampled: loops.loops,
      loop_attempts_p50: loops.attemptsP50,
      loop_attempts_max: loops.attemptsMax,
      loops_cycling: loops.cycling
    },
    cost_usd_per_hour: extra,
    culprit: null,
    victims: [],
    contributors: [
      ...evidence.carriers.map(({ words, before, after, excess }) => ({
        tenant: words[0] ?? null,
        schema: words[3] ?? null,
        first_pass_before_pct: pct(1 - before),
        first_pass_after_pct: pct(1 - shareOf(after)),
        excess_failures: Math.round(excess)
      })),
      ...loops.errors
        .slice(0, 5)
        .map(([error, count]) => ({ schema_error: error, failures: count }))
    ],
    query: reproduce(event)
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()

const scopeOf = ([, level, model, schema]: Words): Record<string, string> => ({
  level: level === 'leaf' ? 'schema' : (level ?? ''),
  ...(model == null ? {} : { model }),
  ...(schema == null ? {} : { schema })
})

const figures = (stretch: RiseStretch) => {
  const [attempts, objects, costPico] = stretch.sums
  return {
    first_pass_pct: pct(1 - shareOf(stretch)),
    first_attempts: stretch.n,
    attempts,
    compliant_objects: objects,
    attempts_per_object: objects > 0 ? Math.round((attempts / objects) * 100) / 100 : null,
    usd_per_object: perObject(stretch) === null ? null : perObject(stretch)!.toFixed(6),
    cost_usd: costPico > 0 ? (costPico / PICO_PER_USD).toFixed(4) : null,
    from: iso(stretch.fromMs),
    to: iso(stretch.toMs)
  }
}

const perObject = ({ sums: [, objects, costPico] }: RiseStretch): number | null =>
  objects > 0 && costPico > 0 ? costPico / objects / PICO_PER_USD : null

/** What each object costs more than before, at the objects of now; null when nothing is priced. */
const extraPerHour = ({ change: { before, after } }: ShareEvent): string | null => {
  const [, objectsBefore, costBefore] = before.sums
  const [, objects, cost] = after.sums
  if (costBefore <= 0 || cost <= 0 || objectsBefore <= 0) return null
  return usdPerHour(cost - (costBefore / objectsBefore) * objects, after.toMs - after.fromMs)
}

const severityOf = (
  { change: { before, after } }: ShareEvent,
  extra: string | null,
  floor: number
): Draft['severity'] => {
  if (extra !== null && Number(extra) < floor) return 'info'
  return shareOf(after) >= CRITICAL_RATIO * shareOf(before) ? 'critical' : 'warning'
}

const summary = (
  { name, change }: ShareEvent,
  evidence: Evidence,
  extra: string | null
): string => {
  const [tenant, , model, schema] = name
  const { before, after } = change
  const what = schema == null ? '' : ` for ${schema}`
  const [attempts, objects] = after.sums
  const per = objects > 0 ? `${(attempts / objects).toFixed(2)} attempts per object` : 'no object'
  const cost = extra === null ? '' : `, ${extra} USD more an hour`
  const cycling = evidence.loops.cycling
  const loops = cycling === 0 ? '' : `; ${cycling} loops where a repair brings an old error back`
  return `${model ?? 'The model'} meets its schema${what} at the first attempt in ${pct(1 - shareOf(after))} % instead of ${pct(1 - shareOf(before))} % for ${tenant ?? 'all tenants'} (${after.n} objects asked for, ${per}${cost})${loops}`
}

const reproduce = ({ name, change }: ShareEvent): string => {
  const [tenant, level, model, schema] = name
  const { before, after } = change
  const filters = [
    ...(level === 'fleet' ? [] : [sqlEquals('tenant', tenant ?? null)]),
    sqlEquals('coalesce(response_model, request_model)', model ?? null),
    ...(level === 'leaf' ? [sqlEquals('output_schema', schema ?? null)] : []),
    `time >= ${sqlTime(before.fromMs)}`,
    `time < ${sqlTime(after.toMs)}`
  ]
  return `SELECT time >= ${sqlTime(before.toMs)} AS after,
  100.0 * count_if(schema_valid AND coalesce(attempt, 1) = 1) / nullif(count_if(coalesce(attempt, 1) = 1), 0) AS first_pass_pct,
  count(*) AS attempts, count_if(schema_valid) AS compliant_objects, sum(cost_pico) / 1e12 AS cost_usd
FROM events WHERE ${filters.join(' AND ')} AND schema_valid IS NOT NULL GROUP BY 1 ORDER BY 1`
}
