import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import { sha256 } from './manifest.ts'

/** How costs find the tenants that pay them: a file of rules, each with an id that rows carry. */

const names = z.union([z.string(), z.array(z.string()).min(1)]).transform((value) => [value].flat())

/** What a rule takes hold of: rows that have every one of these; a name may end with `*`. */
const Match = z
  .strictObject({
    tenant: names,
    project: names,
    team: names,
    provider: names,
    provider_account: names,
    model: names,
    cache_pool: names,
    meter: names
  })
  .partial()
  .refine((match) => Object.keys(match).length > 0, 'at least one thing to match')

const BASES = ['cost', 'tokens', 'calls', 'cache_reads'] as const

const id = z.string().min(1)

const Rule = z.discriminatedUnion('method', [
  /** Everything to one tenant. */
  z.strictObject({ id, match: Match, method: z.literal('direct'), to: z.string().min(1) }),
  /** By what the receivers themselves used in the month. */
  z.strictObject({
    id,
    match: Match,
    method: z.literal('proportional'),
    by: z.enum(BASES).default('cost'),
    /** Receivers; absent = every tenant with usage that the rule does not take from. */
    to: z.array(z.string().min(1)).min(1).optional()
  }),
  /** By weights that were agreed on. */
  z.strictObject({
    id,
    match: Match,
    method: z.literal('fixed'),
    shares: z.record(z.string(), z.number().int().positive())
  })
])

const RuleFile = z.strictObject({
  /** Labels that charges keep; without them tags are not on the bill. */
  tags: z
    .array(z.string().regex(/^[\w.-]+$/))
    .max(8)
    .default([]),
  /** What becomes of the part of a provider's bill that the record does not explain. */
  gap: z.enum(['unallocated', 'proportional']).default('unallocated'),
  /** Tenants that stand for nobody. */
  unallocated: z.array(z.string()).default([]),
  /** Whether the extra cost of an attributed cache collapse moves to its culprit. */
  move_cache_collapse_to_culprit: z.boolean().default(false),
  rules: z.array(Rule).default([])
})

export type AllocationRule = z.infer<typeof Rule>
export type Rules = z.infer<typeof RuleFile> & { sha256: string | null }

export const NO_RULES: Rules = { ...RuleFile.parse({}), sha256: null }

/** Reads a file of rules, YAML or JSON. @throws Failure E_USAGE that names the place. */
export const parseRules = (text: string): Rules => {
  let document: unknown
  try {
    document = parse(text)
  } catch (cause) {
    throw new Failure('E_USAGE', `the allocation rules are no YAML: ${String(cause)}`, { cause })
  }
  const file = RuleFile.safeParse(document ?? {})
  if (!file.success) {
    const [issue] = file.error.issues
    throw new Failure('E_USAGE', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
      hint: 'See jobs/chargeback/README.md for the shape of allocation rules.'
    })
  }
  const ids = file.data.rules.map((rule) => rule.id)
  const twice = ids.find((one, index) => ids.indexOf(one) !== index)
  if (twice !== undefined) throw new Failure('E_USAGE', `two allocation rules are called ${twice}`)
  return { ...file.data, sha256: sha256(text) }
}
