import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { parseUsd } from '../../../schemas/money.ts'

/**
 * What a process of Tallystream is told once: in flags, in the environment, in one YAML file, or
 * by default, in that order.
 */

/** Where tools that speak to us look first; free of the ports of Kafka, Prometheus and Grafana. */
const PORT = 8787
/** A minute's windows stay fresh, and an idle day makes no more than 17,000 files. */
const FLUSH_MS = 5000
/** Beyond an hour, memory and not time decides when a batch is landed. */
const FLUSH_MS_MAX = 3_600_000
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const Usd = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'a decimal string in USD, in quotes')
  .refine((text) => parseUsd(text) >= 0n)

/** Whether the clock only looks at a month or closes it. */
export const CLOSE_MODES = ['check', 'freeze'] as const

const fileName = (meaning: string) => z.string().min(1).nullable().default(null).describe(meaning)

export const Settings = z.strictObject({
  data: z.string().min(1).nullable().default(null).describe('Folder of the log and the lake.'),
  brokers: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Kafka bootstrap servers; null = the embedded log.'),
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  port: z.int().min(0).max(65_535).default(PORT).describe('Port to listen on; 0 = any free one.'),
  keys: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('File of API keys; required beyond loopback.'),
  tenant: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Who pays for input that names no tenant.'),
  sources: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('File of dialects with options, and of topics.'),
  flight: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('File of whose contents are recorded.'),
  alert_config: z.string().min(1).nullable().default(null).describe('File with alert channels.'),
  meters: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Addresses of GPU exporters that are scraped, separated by commas.'),
  flush_ms: z
    .int()
    .min(0)
    .max(FLUSH_MS_MAX)
    .default(FLUSH_MS)
    .describe('Longest time that an event waits before it is landed.'),
  log_level: z.enum(LOG_LEVELS).default('info').describe('How much is told.'),
  budgets_usd: z
    .record(z.string(), Usd)
    .default({})
    .describe('Monthly budget by tenant, decimal strings in USD.'),
  budgets: fileName('File of budgets by tenant, project, team or tags; told of as they are spent.'),
  contracts: fileName('File of negotiated prices and custom models that charges are booked by.'),
  rules: fileName('File of allocation rules that charges and closes follow.'),
  close_day: z
    .int()
    .min(1)
    .max(28)
    .nullable()
    .default(null)
    .describe('Day of the next month from which a month is to be closed; null = by hand alone.'),
  close: z
    .enum(CLOSE_MODES)
    .default('check')
    .describe('From that day on: check = tell the checklist; freeze = close what passes it.')
})
export type Settings = z.infer<typeof Settings>
type Name = keyof Settings

export type Origin = 'flag' | 'environment' | 'file' | 'default'

export type Resolved = { settings: Settings; origins: Readonly<Record<Name, Origin>> }

const NAMES = Object.keys(Settings.shape) as Name[]
const NUMBERS: ReadonlySet<Name> = new Set(['port', 'flush_ms', 'close_day'])

/** `flush_ms` is `TALLY_FLUSH_MS` in the environment. */
export const variableOf = (name: string): string => `TALLY_${name.toUpperCase()}`

export type Given = {
  /** Flags that were given, by the name of the setting. */
  flags: Readonly<Partial<Record<Name, string>>>
  env: Readonly<Record<string, string | undefined>>
  /** Path of the file; null = none. */
  file: string | null
}

/** Puts it all together. @throws Failure E_USAGE that names the place and the value. */
export const resolveSettings = async ({ flags, env, file }: Given): Promise<Resolved> => {
  const fromFile = file === null ? {} : await readSettings(file)
  const values: Record<string, unknown> = {}
  const origins = {} as Record<Name, Origin>
  for (const name of NAMES) {
    const { value, origin } = pick(name, { flags, env }, fromFile)
    origins[name] = origin
    if (value !== undefined) values[name] = value
  }
  const parsed = Settings.safeParse(values)
  if (parsed.success) return { settings: parsed.data, origins }
  const [issue] = parsed.error.issues
  const name = String(issue?.path[0]) as Name
  throw new Failure('E_USAGE', `${placeOf(name, origins[name], file)}: ${issue?.message}`, {
    hint: '`tally config schema` says what is taken.'
  })
}

const pick = (
  name: Name,
  { flags, env }: Pick<Given, 'flags' | 'env'>,
  fromFile: Readonly<Record<string, unknown>>
): { value: unknown; origin: Origin } => {
  const flag = flags[name]
  if (flag !== undefined) return { value: ofText(name, flag), origin: 'flag' }
  // A table of budgets does not fit into a variable.
  const variable = name === 'budgets_usd' ? undefined : env[variableOf(name)]
  if (variable !== undefined) return { value: ofText(name, variable), origin: 'environment' }
  const value = fromFile[name]
  return { value, origin: value === undefined ? 'default' : 'file' }
}

const ofText = (name: Name, text: string): unknown => (NUMBERS.has(name) ? numberOf(text) : text)

/** Text that is no number is left to the schema to refuse. */
const numberOf = (text: string): unknown => (text.trim() === '' ? text : Number(text))

const placeOf = (name: Name, origin: Origin, file: string | null): string => {
  if (origin === 'flag') return `--${name.replaceAll('_', '-')}`
  return origin === 'environment' ? variableOf(name) : `${file}: ${name}`
}

const readSettings = async (file: string): Promise<Record<string, unknown>> => {
  try {
    const value: unknown = parse(await readFile(file, 'utf8')) ?? {}
    return z
      .strictObject(Object.fromEntries(NAMES.map((name) => [name, z.unknown().optional()])))
      .parse(value)
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
    throw new Failure('E_USAGE', `${file}: ${reason}`, { cause })
  }
}

/** JSON Schema of the file, for editors. */
export const settingsSchema = (): object => z.toJSONSchema(Settings, { io: 'input' })
