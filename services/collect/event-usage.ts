import type { EventRow } from '../../schemas/avro/flatten-event.ts'
import type { UsageEvent } from '../../schemas/event.ts'
import { TOKEN_FIELDS } from '../../schemas/tokens.ts'
import { label } from './label.ts'
import { normalize, type Normalized } from './normalize/normalize.ts'
import { stopClassOf } from './normalize/stop.ts'
import type { TokenCounts } from './normalize/tokens.ts'
import { completeTokens } from './token-totals.ts'

/**
 * The seam to normalisation: the provider's usage block becomes disjoint buckets here, and only
 * here, whichever way the event came. What the sender states itself is never overwritten. Works on
 * the flat row, which is ours to fill: copies of whole events cost more than all the rest.
 */
export const fillUsage = (row: EventRow, event: UsageEvent): void => {
  const { tokens, usage } = event
  if (event.kind === 'agent') {
    if (tokens != null || usage != null || event.cost_reported_usd != null)
      fillAggregate(row, event)
  } else if (tokens != null) fillStated(row, tokens)
  else if (usage != null) fillNormalized(row, event, usage)
  if (row['stop_class'] === null && typeof row['stop_reason'] === 'string') {
    row['stop_class'] = stopClassOf(row['stop_reason'])
  }
}

const fillStated = (row: EventRow, stated: NonNullable<UsageEvent['tokens']>): void => {
  const { totals, warnings } = completeTokens(stated)
  Object.assign(row, totals)
  row['usage_convention'] ??= 'stated'
  row['usage_confidence'] ??= warnings.length === 0 ? 'high' : 'low'
  addWarnings(row, warnings)
}

/** Columns that are summed, and that an agent's step leaves to those below it. */
const AGGREGATED = [...TOKEN_FIELDS, 'units', 'iterations', 'cost_reported_usd'] as const

/**
 * An agent's step repeats the usage of the calls below it, in a block or in buckets that it states.
 * It stays on the row as a block, as a cross-check, and adds to no bucket.
 */
const fillAggregate = (
  row: EventRow,
  { tokens, usage, cost_reported_usd: cost }: UsageEvent
): void => {
  const block = { ...(usage ?? tokens), ...(cost == null ? {} : { cost_reported_usd: cost }) }
  row['usage'] = JSON.stringify(block)
  for (const name of AGGREGATED) row[name] = null
  const convention = row['usage_convention']
  row['usage_convention'] = label(
    typeof convention === 'string' ? `aggregate ${convention}` : 'aggregate '
  )
  row['usage_confidence'] ??= 'none'
  addWarnings(row, ['agent_aggregate_not_counted'])
}

const fillNormalized = (
  row: EventRow,
  event: UsageEvent,
  usage: Readonly<Record<string, unknown>>
): void => {
  const read = normalize({
    provider: event.provider ?? null,
    api: event.api ?? null,
    model: event.response_model ?? event.request_model ?? null,
    emitter: event.emitter ?? null,
    status: event.status ?? null,
    body: usage
  })
  fillFacts(row, read)
  fillBuckets(row, read.tokens)
  row['usage_convention'] ??= label(read.convention)
  row['usage_confidence'] ??= read.confidence
  addWarnings(row, read.warnings)
}

/** Nothing is in the row yet: what is not reported stays null. */
const fillBuckets = (row: EventRow, tokens: TokenCounts): void => {
  for (const name in tokens) {
    const value = tokens[name as keyof TokenCounts]
    if (value !== null) row[name] = typeof value === 'number' ? value : JSON.stringify(value)
  }
}

const TEXT_FACTS = [
  'provider',
  'api',
  'response_model',
  'response_id',
  'request_id',
  'service_tier',
  'region',
  'stop_reason',
  'cache_miss_reason'
] as const
const OTHER_FACTS = ['stop_class', 'refusal', 'batch', 'queue_ms', 'cost_reported_usd'] as const

/** Facts that the block tells and the event does not. */
const fillFacts = (row: EventRow, read: Normalized): void => {
  // The sender repeats the tier that the provider names beside the speed; the speed decides.
  if (read.service_tier === 'fast' && row['service_tier'] === 'standard')
    row['service_tier'] = 'fast'
  for (const name of TEXT_FACTS) {
    const fact = read[name]
    if (fact !== null) row[name] ??= label(fact)
  }
  for (const name of OTHER_FACTS) row[name] ??= read[name]
}

const addWarnings = (row: EventRow, found: readonly string[]): void => {
  if (found.length === 0) return
  const stated = row['usage_warnings']
  row['usage_warnings'] = [...(Array.isArray(stated) ? stated.map(String) : []), ...found]
}
