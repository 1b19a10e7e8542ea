/** Service tiers of the book and the names that providers give them in responses and bills. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  standard: ['default', 'auto', 'on_demand', 'on-demand', 'standard_only', 'none', 'global'],
  batch: ['batches', 'batch_api'],
  flex: ['on_demand_flex', 'flex_processing'],
  priority: ['on_demand_priority', 'performance', 'priority_processing'],
  fast: [],
  ultrafast: [],
  balanced: [],
  decisions: [],
  offpeak: ['on_demand_offpeak'],
  commitment: ['provisioned_throughput', 'provisioned', 'ptu', 'reserved', 'scale']
}

const tiers = new Map<string, string>(
  Object.entries(NAMES).flatMap(([tier, names]) =>
    [tier, ...names].map((name): [string, string] => [name, tier])
  )
)

/** Capacity that is paid apart: the call itself costs nothing more. */
export const COMMITMENT = 'commitment'

/** At OpenAI a request for `fast` is served, and billed, as `priority`. */
const FAST_IS_PRIORITY: readonly string[] = ['openai', 'azure.ai.openai']

/**
 * Tier of the book for a call. A batch is a batch whatever tier it names; a tier nobody knows is
 * kept, so that it comes out as unpriced and not as standard.
 */
export const canonicalTier = (
  provider: string,
  serviceTier: string | null,
  batch: boolean | null
): string => {
  if (batch === true) return 'batch'
  const lower = serviceTier?.trim().toLowerCase() ?? 'standard'
  const tier = tiers.get(lower) ?? lower
  return tier === 'fast' && FAST_IS_PRIORITY.includes(provider) ? 'priority' : tier
}
