import type { FastifyBaseLogger } from 'fastify'
import type { Registry } from 'prom-client'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import type { EventLog } from '../stream/log.ts'
import { assertGuarded } from './http/sender.ts'
import { createCollectServer, type CollectParts } from './http/server.ts'
import { openKeyFile } from './keys/key-ring.ts'
import { COLLECT_DEFAULTS, type CollectSettings } from './settings.ts'
import type { LoadedSource } from './sources/load.ts'
import { defaultIntakes } from './sources-file.ts'

export type CollectorOptions = {
  log: EventLog
  host: string
  /** 0 = the system chooses. */
  port: number
  /** File of API keys; null = open, which only loopback addresses may be. */
  keyFile: string | null
  /** Partitions of the topic where it does not exist yet. */
  partitions?: number
  settings?: Partial<CollectSettings>
  /** Dialects behind the paths; without them, all that need no option. */
  sources?: readonly LoadedSource[]
  registry?: Registry
  logger?: FastifyBaseLogger
  /** Why the process should get no traffic, apart from the log; null when it should. */
  notReady?: () => string | null
  /** Adds what else answers at this address. */
  extend?: CollectParts['extend']
  now: () => Date
}

export type Collector = {
  url: string
  /** Drains: takes no new request, finishes those under way, then resolves. The log stays open. */
  close: () => Promise<void>
}

/** Enough for a handful of consumers; more are added while it runs. */
export const PARTITIONS = 8

/** A fleet that lost its collector comes back at once; the kernel caps it (`somaxconn`). */
const BACKLOG = 4096

/** Starts the collector and resolves once it takes requests. */
export const startCollector = async (options: CollectorOptions): Promise<Collector> => {
  const { log, host, port, keyFile, logger } = options
  const keys =
    keyFile === null
      ? null
      : await openKeyFile(keyFile, (failure) => logger?.error(failure, 'key file'))
  assertGuarded(host, keys)
  await log.ensureTopic(EVENTS_TOPIC, options.partitions ?? PARTITIONS)
  const server = await createCollectServer({
    log,
    sources: options.sources ?? (await defaultIntakes()).sources,
    keys,
    settings: { ...COLLECT_DEFAULTS, ...options.settings },
    now: options.now,
    ...(options.registry === undefined ? {} : { registry: options.registry }),
    ...(options.notReady === undefined ? {} : { notReady: options.notReady }),
    ...(options.extend === undefined ? {} : { extend: options.extend }),
    ...(logger === undefined ? {} : { logger })
  })
  const url = await server.app.listen({ host, port, backlog: BACKLOG })
  return { url, close: () => server.close() }
}
