import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { LoadedChannel } from './load-channels.ts'
import { BUDGET_PER_TENANT_DAY } from './incidents/budget.ts'

/** Channels of one installation; each has a lane and a place of its own in the lake. */
const CHANNELS_MAX = 32

const Entry = z.looseObject({
  /** Names the channel's place in the outbox: a renamed channel starts anew. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use a-z, 0-9 and -'),
  kind: z.string()
})

export const AlertConfig = z.strictObject({
  /** Where users open the page: links in alerts start with it. */
  page_url: z.url().nullable().default(null),
  budget_per_tenant_day: z.int().positive().default(BUDGET_PER_TENANT_DAY),
  watch_silence: z.boolean().default(true),
  channels: z.array(Entry).max(CHANNELS_MAX).default([])
})
export type AlertConfig = z.infer<typeof AlertConfig>

export type ChannelEntry = { name: string; kind: string; options: Record<string, unknown> }

/** Reads the alert part of the configuration. @throws Failure E_USAGE, naming place and value. */
export const readAlertConfig = (text: string, file: string): AlertConfig => {
  const config = parseConfig(readYaml(text, file), file)
  const seen = new Set<string>()
  for (const { name } of config.channels) {
    if (seen.has(name)) throw new Failure('E_USAGE', `${file}: two channels are named ${name}`)
    seen.add(name)
  }
  return config
}

const readYaml = (text: string, file: string): unknown => {
  try {
    return parse(text) ?? {}
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause
    throw new Failure('E_USAGE', `${file}: ${cause.message}`, { cause })
  }
}

const parseConfig = (value: unknown, file: string): AlertConfig => {
  const result = AlertConfig.safeParse(value)
  if (result.success) return result.data
  throw new Failure('E_USAGE', `${file}: ${z.prettifyError(result.error)}`)
}

/**
 * Checks every entry against its kind before anything is opened.
 * @throws Failure E_USAGE naming the channel, the key and what is known.
 */
export const checkEntries = (
  config: AlertConfig,
  kinds: ReadonlyMap<string, LoadedChannel>
): ChannelEntry[] =>
  config.channels.map(({ name, kind, ...options }) => {
    const channel = kinds.get(kind)
    if (channel === undefined) {
      throw new Failure('E_USAGE', `Channel ${name} is of the unknown kind ${kind}`, {
        hint: `Known kinds: ${[...kinds.keys()].join(', ')}`
      })
    }
    const result = channel.config.safeParse(options)
    if (result.success) return { name, kind, options }
    throw new Failure('E_USAGE', `Channel ${name} (${kind}): ${z.prettifyError(result.error)}`)
  })
