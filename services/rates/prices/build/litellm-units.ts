import { roundUsd } from '../../../../schemas/money.ts'

/** Charges per piece in LiteLLM's table and the units of usage events they belong to. */
const UNITS: readonly (readonly [field: string, unit: string, per: bigint])[] = [
  ['input_cost_per_query', 'search_units', 1n],
  ['google_maps_grounding_cost_per_query', 'maps', 1n],
  ['code_interpreter_cost_per_session', 'code_sessions', 1n],
  ['file_search_cost_per_1k_calls', 'file_search', 1000n],
  ['ocr_cost_per_page', 'pages', 1n],
  ['annotation_cost_per_page', 'annotated_pages', 1n],
  ['input_cost_per_image', 'images', 1n],
  ['output_cost_per_image', 'out_images', 1n],
  ['input_cost_per_second', 'seconds', 1n],
  ['output_cost_per_second', 'out_seconds', 1n],
  ['input_cost_per_character', 'characters', 1n],
  ['input_cost_per_request', 'requests', 1n]
]

/** Anthropic charges web fetch by its tokens alone. */
const FREE_UNITS: Readonly<Record<string, readonly string[]>> = { anthropic: ['web_fetch'] }

/** Pico-dollars per unit, from the flat fields and the nested ones. */
export const litellmUnits = (
  entry: Readonly<Record<string, unknown>>,
  provider: string
): Record<string, number> => {
  const flat = UNITS.flatMap(([field, unit, per]) => {
    const usd = entry[field]
    return typeof usd === 'number' ? [[unit, Number(roundUsd(usd) / per)]] : []
  })
  const search = numbers(entry['search_context_cost_per_query'])
  const medium = search['search_context_size_medium']
  const guardrail = Object.entries(numbers(entry['guardrail_cost_per_unit']))
  return {
    ...Object.fromEntries(flat),
    ...(medium !== undefined && { web_search: Number(roundUsd(medium)) }),
    ...Object.fromEntries(guardrail.map(([name, usd]) => [name, Number(roundUsd(usd))])),
    ...(medium !== undefined &&
      Object.fromEntries((FREE_UNITS[provider] ?? []).map((name) => [name, 0])))
  }
}

const numbers = (value: unknown): Record<string, number> =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).filter(
      (pair): pair is [string, number] => typeof pair[1] === 'number'
    )
  )
