import { once } from 'node:events'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { Failure } from '../../../schemas/failure.ts'
import { assertGuarded } from '../../collect/http/sender.ts'
import { openKeyFile } from '../../collect/keys/key-ring.ts'
import { createApiServer } from '../../serve/http/server.ts'
import type { SiteOptions } from '../site.ts'
import { startServe, type ServeApi } from './serve-part.ts'

export type ServeOptions = {
  place: SiteOptions
  host: string
  port: number
  keyFile: string | null
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd?: Readonly<Record<string, string>>
}

export type ServeDoors = { logger: Logger; now: () => Date; started: (url: string) => void }

/** The API alone, until the signal fires. */
export const runServe = async (
  { place, host, port, keyFile, budgetsUsd = {} }: ServeOptions,
  { logger, now, started }: ServeDoors,
  signal: AbortSignal
): Promise<void> => {
  const keys =
    keyFile === null ? null : await openKeyFile(keyFile, (failure) => logger.error(failure))
  assertGuarded(host, keys)
  const registry = new Registry()
  const api = startServe(place, { now, registry, budgetsUsd })
  try {
    const app = await createApiServer({
      logger,
      registry,
      notReady: readiness(api),
      extend: (server) => api.register(server, keys)
    })
    started(await app.listen({ host, port }))
    if (!signal.aborted) await once(signal, 'abort')
    await app.close()
  } finally {
    await api.stop()
  }
}

/** Ready once the cube has all settled hours; until then, whoever asks has it looked at again. */
const readiness = (api: ServeApi): (() => string | null) => {
  let state: 'waiting' | 'asking' | 'ready' = 'waiting'
  let trouble = 'the lake is being opened'
  const look = async (): Promise<void> => {
    state = 'asking'
    try {
      const parts = await api.toDo()
      trouble = `the cube lacks ${parts} hours and days`
      state = parts === 0 ? 'ready' : 'waiting'
    } catch (error) {
      trouble = error instanceof Failure ? error.code : 'E_INTERNAL'
      state = 'waiting'
    }
  }
  return () => {
    if (state === 'waiting') void look()
    return state === 'ready' ? null : trouble
  }
}
