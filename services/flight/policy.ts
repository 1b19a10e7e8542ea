import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'

/**
 * What the flight recorder keeps of a tenant's contents. Without a file nothing is kept.
 *
 * ```yaml
 * default: { record: off }
 * tenants:
 *   acme: { record: findings, keep_days: 30 }
 *   globex: { record: sampled, share: 0.05, redact: { order: 'ORD-\d+' } }
 * ```
 */
export const RECORD_MODES = ['off', 'findings', 'sampled', 'all'] as const

const pattern = z.string().refine(isPattern, 'is not a regular expression')

const Policy = z.strictObject({
  record: z.enum(RECORD_MODES),
  /** Of flights, in mode `sampled`: whole traces or nothing. */
  share: z.number().min(0).max(1).default(0.01),
  /** Long enough for a quarter's review of incidents, shorter than most duties to delete. */
  keep_days: z.number().positive().default(30),
  /** How long mode `findings` waits for a finding or an error before it forgets a flight. */
  hold_hours: z.number().positive().default(48),
  /** Name and regular expression of what is replaced by the name, beside what always is. */
  redact: z.record(z.string(), pattern).default({})
})
export type Policy = z.infer<typeof Policy>

const PolicyFile = z.strictObject({
  default: Policy.default(Policy.parse({ record: 'off' })),
  tenants: z.record(z.string(), Policy).default({})
})
export type Policies = z.infer<typeof PolicyFile>

export const NOTHING_KEPT: Policies = PolicyFile.parse({})

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'gu') instanceof RegExp
  } catch {
    return false
  }
}

/** @throws Failure E_USAGE that names the file and what in it is wrong. */
export const parsePolicies = (text: string, file: string): Policies => {
  let yaml: unknown
  try {
    yaml = parse(text)
  } catch (cause) {
    throw new Failure('E_USAGE', `${file} is no YAML`, { cause })
  }
  const parsed = PolicyFile.safeParse(yaml ?? {})
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Failure('E_USAGE', `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
    hint: `Modes are ${RECORD_MODES.join(', ')}.`
  })
}

export const loadPolicies = async (file: string): Promise<Policies> => {
  try {
    return parsePolicies(await readFile(file, 'utf8'), file)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('E_USAGE', `${file} can not be read`, { cause })
  }
}

export const policyOf = ({ default: usual, tenants }: Policies, tenant: string): Policy =>
  Object.hasOwn(tenants, tenant) ? tenants[tenant]! : usual
