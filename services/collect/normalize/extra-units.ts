import { toCount } from './count.ts'
import type { Facts } from './facts.ts'
import { objectAt, type Json } from './json.ts'
import type { Units } from './tokens.ts'
import type { Notes } from './warnings.ts'

/** Meters that stand outside of the usage block: grounding queries, tools that bill apart. */
export const addUnits = (units: Units | null, facts: Facts, notes: Notes): Units | null => {
  if (facts.fallback_credit === 'redeemed') notes.add('fallback_credit')
  const calls = facts.tool_usage === null ? facts.server_calls : null
  if (facts.grounding_queries === 0 && facts.tool_usage === null && calls === null) return units
  const all: Units = { ...units }
  if (facts.grounding_queries > 0) all['web_search'] = facts.grounding_queries
  if (facts.tool_usage !== null) addToolUsage(all, facts.tool_usage, notes)
  else if (calls !== null && all['server_tools'] === undefined) addCalls(all, calls, notes)
  return Object.keys(all).length === 0 ? null : all
}

/** OpenAI Responses counts billable searches and image generation apart from `usage`. */
const addToolUsage = (units: Units, tools: Json, notes: Notes): void => {
  const image = objectAt(tools, 'image_gen')
  const counts: Record<string, unknown> = {
    web_search: objectAt(tools, 'web_search')?.['num_requests'],
    image_input_tokens: image?.['input_tokens'],
    image_output_tokens: image?.['output_tokens']
  }
  for (const name in counts) {
    const count = toCount(counts[name], `tool_usage.${name}`, notes)
    if (count !== null) units[name] = count
  }
}

/**
 * Without `tool_usage` the calls in the output are all there is. They may be more than what is
 * billed, and images are billed by tokens that the response does not tell.
 */
const addCalls = (units: Units, calls: Readonly<Record<string, number>>, notes: Notes): void => {
  const searches = calls['web_search_call'] ?? 0
  const fileSearches = calls['file_search_call'] ?? 0
  if (searches > 0) units['web_search'] = searches
  if (fileSearches > 0) units['file_search'] = fileSearches
  if (searches + fileSearches > 0) notes.add('units_from_output')
  if ((calls['image_generation_call'] ?? 0) > 0) notes.add('image_generation_unmetered')
}
