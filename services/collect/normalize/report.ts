import { TOKEN_FIELDS } from '../../../schemas/tokens.ts'
import type { Normalized } from './normalize.ts'

/**
 * A result as the command prints it: buckets and totals at the top, and once more under `tokens`
 * in the shape that a native event takes. The block that was read is left out: the caller has it.
 */
export const reportOf = (result: Normalized): Record<string, unknown> => {
  const { tokens, provider, api, request_model, response_model, usage: _, ...rest } = result
  const buckets = Object.fromEntries(TOKEN_FIELDS.map((name) => [name, tokens[name]]))
  return {
    provider,
    api,
    request_model,
    response_model,
    ...buckets,
    units: tokens.units,
    iterations: tokens.iterations,
    ...rest,
    tokens
  }
}
