import { Failure } from '../../schemas/failure.ts'
import type { Engine, Row } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { energyVersion } from '../../services/rates/energy/estimate.ts'
import type { IntensityProvider } from '../../services/rates/grid/intensity.ts'
import { assertZone, carbonOf, type Carbon, type CarbonHour } from './carbon-hours.ts'
import { moment } from './host-days.ts'
import { SPLIT_VERSION } from './measured-rows.ts'
import { TIERS } from '../../services/rates/energy/deployment-figures.ts'
import { gatherReportCalls, type ReportSpan } from './report-calls.ts'

/** Energy of calls by tenant, model, task or host, measured beside estimated; joules of GPU boards. */
export const REPORT_BY = ['tenant', 'model', 'task', 'host'] as const
export type ReportBy = (typeof REPORT_BY)[number]

export type ReportOptions = ReportSpan & {
  by: ReportBy
  /** Groups that are told, those with the most energy first. */
  limit: number
  /** Judged score from which a task passed. */
  passScore: number
  intensities: readonly IntensityProvider[]
  /** Grid zone of calls whose region is not known. */
  zone: string | null
}

export type EnergyGroup = {
  key: string | null
  calls: number
  calls_without_energy: number
  tasks: number
  tasks_passed: number
  in_tokens: number
  cached_tokens: number
  out_tokens: number
  /** Measured where a meter was there, estimated elsewhere. */
  joules: number
  joules_per_call: number | null
  joules_per_task: number | null
  joules_per_task_passed: number | null
  /** Both of the calls whose output and energy are known. */
  tokens_per_joule: number | null
  /** Output tokens of tasks that passed over the joules of all tasks, failed ones with them. */
  tokens_per_joule_passed: number | null
  estimated: { low_j: number; mid_j: number; high_j: number; calls_by_tier: Record<string, number> }
  /** Null where no call was measured. `estimated_j` is of the same calls, `filled_j` of dark windows. */
  measured: {
    calls: number
    j: number
    idle_serving_j: number
    filled_j: number
    estimated_j: number
  } | null
  /** Estimated: energy of calls with a known batch, were each alone, over what it is. */
  batch: { calls: number; concurrency: number; alone_factor: number } | null
  /** Estimated: energy without prompt caches over what it is. */
  cache: { hit_share: number; without_factor: number } | null
  carbon: Carbon
}

export type EnergyReport = {
  from: string
  to: string
  by: ReportBy
  boundary: 'gpu'
  method_version: string
  split_version: string
  total: EnergyGroup
  groups: EnergyGroup[]
  left_off: number
  /** What the meters of each host say, with lines that are no call's. */
  hosts: HostLine[]
  /** At the site boundary, by zone, hour and basis. */
  carbon: CarbonHour[]
}

/** Joules of a host's meters and what they were split into. */
export type HostLine = {
  host: string
  meter_j: number
  active_j: number
  idle_serving_j: number
  idle_unallocated_j: number
  unattributed_j: number
}

type Doors = { engine: Engine; lake: Lake }

export const energyReport = async (doors: Doors, options: ReportOptions): Promise<EnergyReport> => {
  const { engine, lake } = doors
  const { fromMs, toMs, by, limit } = options
  if (!(toMs > fromMs)) throw new Failure('E_USAGE', 'the span of the report is empty')
  assertZone(options)
  await attach(doors, await lake.head())
  await gatherReportCalls(engine, options, options.passScore)
  const total = await groupsOf(engine, 'NULL::VARCHAR')
  const groups = await groupsOf(engine, by)
  const whole = await carbonOf(engine, 'NULL::VARCHAR', options)
  const carbon = await carbonOf(engine, by, options)
  const shown = groups.slice(0, limit)
  const withCarbon = (row: Row, among: ReadonlyMap<string | null, Carbon>): EnergyGroup =>
    groupOf(row, among.get((row['key'] as string | null) ?? null) ?? NO_CARBON)
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    by,
    boundary: 'gpu',
    method_version: energyVersion(),
    split_version: SPLIT_VERSION,
    total: withCarbon(total[0] ?? {}, whole.groups),
    groups: shown.map((row) => withCarbon(row, carbon.groups)),
    left_off: groups.length - shown.length,
    hosts: await hostLines(engine, options),
    carbon: whole.hours
  }
}

const NO_CARBON: Carbon = { location: null, market: null }

const groupsOf = (engine: Engine, by: string): Promise<Row[]> =>
  engine.rows(`SELECT ${by} AS key, count(*)::DOUBLE AS calls,
      count_if(coalesce(measured_j, mid_j) IS NULL)::DOUBLE AS calls_without_energy,
      count(DISTINCT task)::DOUBLE AS tasks,
      (count(DISTINCT task) FILTER (passed))::DOUBLE AS tasks_passed,
      coalesce(sum(in_tokens), 0)::DOUBLE AS in_tokens,
      coalesce(sum(cached_tokens), 0)::DOUBLE AS cached_tokens,
      coalesce(sum(out_tokens), 0)::DOUBLE AS out_tokens,
      coalesce(sum(out_tokens) FILTER (passed), 0)::DOUBLE AS passed_tokens,
      coalesce(sum(coalesce(measured_j + filled_j, mid_j)), 0) AS joules,
      coalesce(sum(coalesce(measured_j + filled_j, mid_j)) FILTER (out_tokens IS NOT NULL), 0)
        AS out_joules,
      coalesce(sum(out_tokens) FILTER (coalesce(measured_j, mid_j) IS NOT NULL), 0)::DOUBLE
        AS out_tokens_metered,
      coalesce(sum(low_j), 0) AS low_j, coalesce(sum(mid_j), 0) AS mid_j,
      coalesce(sum(high_j), 0) AS high_j,
      ${TIERS.map((tier) => `count_if(tier = '${tier}')::DOUBLE AS ${tier}`).join(', ')},
      count(measured_j)::DOUBLE AS measured_calls, sum(measured_j) AS measured_j,
      sum(idle_serving_j) AS idle_serving_j, sum(filled_j) AS filled_j,
      sum(mid_j) FILTER (measured_j IS NOT NULL) AS measured_mid_j,
      count(alone_j)::DOUBLE AS batched, avg(concurrency) FILTER (alone_j IS NOT NULL) AS concurrency,
      sum(alone_j) / nullif(sum(now_j) FILTER (alone_j IS NOT NULL), 0) AS alone_factor,
      sum(cached_tokens)::DOUBLE / nullif(sum(in_tokens) FILTER (cached_tokens IS NOT NULL), 0)
        AS hit_share,
      sum(without_cache_j) FILTER (cached_tokens IS NOT NULL)
        / nullif(sum(now_j) FILTER (cached_tokens IS NOT NULL), 0) AS without_factor
    FROM temp.report_calls GROUP BY key ORDER BY joules DESC, key`)

const groupOf = (row: Row, carbon: Carbon): EnergyGroup => {
  const of = (name: string): number => Number(row[name] ?? 0)
  const over = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)
  const joules = of('joules')
  return {
    key: (row['key'] as string | null) ?? null,
    calls: of('calls'),
    calls_without_energy: of('calls_without_energy'),
    tasks: of('tasks'),
    tasks_passed: of('tasks_passed'),
    in_tokens: of('in_tokens'),
    cached_tokens: of('cached_tokens'),
    out_tokens: of('out_tokens'),
    joules,
    joules_per_call: over(joules, of('calls') - of('calls_without_energy')),
    joules_per_task: over(joules, of('tasks')),
    joules_per_task_passed: over(joules, of('tasks_passed')),
    tokens_per_joule: over(of('out_tokens_metered'), of('out_joules')),
    tokens_per_joule_passed: over(of('passed_tokens'), joules),
    estimated: {
      low_j: of('low_j'),
      mid_j: of('mid_j'),
      high_j: of('high_j'),
      calls_by_tier: Object.fromEntries(TIERS.map((tier) => [tier, of(tier)]))
    },
    measured: measuredOf(of),
    batch:
      of('batched') === 0
        ? null
        : {
            calls: of('batched'),
            concurrency: of('concurrency'),
            alone_factor: of('alone_factor')
          },
    cache:
      (row['hit_share'] ?? null) === null
        ? null
        : { hit_share: of('hit_share'), without_factor: of('without_factor') },
    carbon
  }
}

const measuredOf = (of: (name: string) => number): EnergyGroup['measured'] =>
  of('measured_calls') === 0
    ? null
    : {
        calls: of('measured_calls'),
        j: of('measured_j'),
        idle_serving_j: of('idle_serving_j'),
        filled_j: of('filled_j'),
        estimated_j: of('measured_mid_j')
      }

const hostLines = async (engine: Engine, { fromMs, toMs }: ReportSpan): Promise<HostLine[]> => {
  const line = (name: string): string =>
    `coalesce(sum(microjoules) FILTER (line = '${name}'), 0)::DOUBLE / 1e6 AS ${name}_j`
  const lines = ['meter', 'active', 'idle_serving', 'idle_unallocated', 'unattributed']
  const rows =
    await engine.rows(`SELECT host, ${lines.map(line).join(', ')} FROM temp.energy_measured
    WHERE window_start >= ${moment(fromMs)} AND window_start < ${moment(toMs)}
    GROUP BY host ORDER BY host`)
  return rows as HostLine[]
}
