import { once } from 'node:events'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { assertGuarded } from '../../collect/http/sender.ts'
import { openKeyFile } from '../../collect/keys/key-ring.ts'
import { createApiServer } from '../../serve/http/server.ts'
import type { SiteOptions } from '../site.ts'
import { startServe } from './serve-part.ts'

export type ServeOptions = {
  place: SiteOptions
  host: string
  port: number
  keyFile: string | null
}

export type ServeDoors = { logger: Logger; now: () => Date; started: (url: string) => void }

/** The API alone, until the signal fires. */
export const runServe = async (
  { place, host, port, keyFile }: ServeOptions,
  { logger, now, started }: ServeDoors,
  signal: AbortSignal
): Promise<void> => {
  const keys =
    keyFile === null ? null : await openKeyFile(keyFile, (failure) => logger.error(failure))
  assertGuarded(host, keys)
  const registry = new Registry()
  const api = startServe(place, { now, registry })
  try {
    const app = await createApiServer({
      logger,
      registry,
      extend: (server) => api.register(server, keys)
    })
    started(await app.listen({ host, port }))
    if (!signal.aborted) await once(signal, 'abort')
    await app.close()
  } finally {
    await api.stop()
  }
}
