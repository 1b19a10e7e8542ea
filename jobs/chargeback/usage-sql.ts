import { quoted } from '../../services/lake/parquet-writer.ts'
import {
  hasUsageSql,
  PRICED_BUCKETS,
  PRICED_MODALITIES,
  promptTokensSql
} from '../../services/rates/prices/buckets.ts'
import { PRICED_KINDS } from '../../services/rates/prices/columns.ts'
import { DAY_MS, HOUR_MS, timestampSql } from './month.ts'

/**
 * The settled events of a day, added up so far that prices still apply exactly: a group shares all
 * that decides a price, a stretch of time in which no price changes, and a band of prompt sizes.
 * Costs are then linear in its tokens, so a hundred million events are priced as some thousand
 * groups, to the pico-dollar.
 */

/** What decides a price, and who pays. */
export const GROUP_KEYS = [
  'tenant',
  'project',
  'team',
  'tags',
  'provider',
  'provider_account',
  'model',
  'service_tier',
  'region',
  'batch',
  'cache_pool',
  'waste'
] as const

/** Where prices change: sizes of prompts, and instants within days, in milliseconds. */
export type PriceSteps = { promptSizes: readonly number[]; instantsMs: readonly number[] }

/** Start of the whole stretch of UTC that a time is in: in integers, since calendars cost more. */
const floorUs = (time: string, ms: number): string =>
  `(epoch_us(${time}) - epoch_us(${time}) % ${ms * 1000})`

/** An hour is closed so long after its start; what comes later is late. */
const LATE_AFTER_US = 130 * 60_000_000

const column = (name: string): string => `e."${name}"`

/** Sub-inferences replace the counts of their call; they are priced one by one. */
export const HAS_ITERATIONS = "(e.iterations IS NOT NULL AND e.iterations <> '[]')"

/** Steps that cost something or say that something was used. */
export const IS_CHARGED = `e.kind IN (${PRICED_KINDS.map(quoted).join(', ')})
  AND (${hasUsageSql(column)} OR e.units IS NOT NULL OR e.iterations IS NOT NULL OR e.kind IN ('llm', 'embedding'))`

const WASTE = `CASE WHEN e.attempt > 1 THEN 'retry' WHEN NOT e.schema_valid THEN 'invalid_output'
  WHEN e.refusal THEN 'refusal' END`

const BOTH_COUNTED = 'e.local_in IS NOT NULL AND e.in_total IS NOT NULL'

/** The labels that the rules keep, as JSON text that is equal for equal labels. */
const tagsSql = (tags: readonly string[]): string => {
  if (tags.length === 0) return 'NULL::VARCHAR'
  const values = tags.map((tag) => `json_extract_string(e.tags, ${quoted(`$."${tag}"`)})`)
  const pairs = tags.map((tag, index) => `${quoted(tag)}, ${values[index]}`).join(', ')
  return `CASE WHEN coalesce(${values.join(', ')}) IS NOT NULL THEN json_object(${pairs})::VARCHAR END`
}

const promptFloorSql = (sizes: readonly number[]): string => {
  const prompt = promptTokensSql(column)
  const cases = sizes.toReversed().map((size) => `WHEN ${prompt} >= ${size} THEN ${size}`)
  return cases.length === 0 ? '0::BIGINT' : `(CASE ${cases.join(' ')} ELSE 0 END)::BIGINT`
}

/** Start of the day of an event, or the last of the instants in it that the event is not before. */
const slotSql = (instantsMs: readonly number[]): string => {
  const day = `make_timestamptz(${floorUs('e.time', DAY_MS)})`
  const cases = instantsMs
    .toReversed()
    .map((ms) => `WHEN e.time >= ${timestampSql(ms)} THEN ${timestampSql(ms)}`)
  return cases.length === 0 ? day : `greatest(${day}, CASE ${cases.join(' ')} END)`
}

export type Grouping = {
  steps: PriceSteps
  tags: readonly string[]
  /** Whether any event has sub-inferences: to look at each for each sum is a third of the work. */
  hasIterations: boolean
}

/** The keys of a group over events `e`, named. */
export const groupKeysSql = ({ steps, tags }: Grouping): string => {
  const own: Record<string, string> = {
    tags: tagsSql(tags),
    model: 'coalesce(e.response_model, e.request_model)',
    waste: WASTE
  }
  return [
    `${slotSql(steps.instantsMs)} AS slot`,
    ...GROUP_KEYS.map((name) => `${own[name] ?? column(name)} AS ${name}`),
    `${promptFloorSql(steps.promptSizes)} AS prompt_floor`
  ].join(',\n  ')
}

const sum = (expression: string, name: string): string => `sum(${expression})::BIGINT AS ${name}`

/** Groups of the relation of events. */
export const usageSql = (relation: string, grouping: Grouping): string => {
  const filter = grouping.hasIterations ? ` FILTER (NOT ${HAS_ITERATIONS})` : ''
  const tokens = (expression: string, name: string): string =>
    `coalesce(sum(${expression})${filter}, 0)::BIGINT AS q_${name}`
  return `SELECT ${groupKeysSql(grouping)},
  ${[
    'count(*)::BIGINT AS calls',
    `count_if(epoch_us(e.append_time) >= ${floorUs('e.time', HOUR_MS)} + ${LATE_AFTER_US})::BIGINT AS late`,
    ...PRICED_BUCKETS.map(({ name, sql }) => tokens(sql(column), name)),
    ...PRICED_MODALITIES.map(({ name, sql }) => tokens(sql(column), name)),
    sum('e.cost_pico', 'metered_pico'),
    sum('e.energy_low_uj', 'energy_low_uj'),
    sum('e.energy_mid_uj', 'energy_mid_uj'),
    sum('e.energy_high_uj', 'energy_high_uj'),
    sum(`CASE WHEN ${BOTH_COUNTED} THEN e.local_in END`, 'local_tokens'),
    sum(`CASE WHEN ${BOTH_COUNTED} THEN e.in_total END`, 'reported_tokens')
  ].join(',\n  ')}
FROM ${relation} e WHERE ${IS_CHARGED} GROUP BY ALL`
}
