import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { tokenOf } from '../../collect/http/sender.ts'
import type { KeyRing } from '../../collect/keys/key-ring.ts'
import { tenantRead } from '../../collect/keys/key.ts'
import { startThread } from '../../consume/thread.ts'
import { WorkerCaller } from '../../consume/worker-call.ts'
import type { Access } from '../../serve/access.ts'
import { registerApi } from '../../serve/http/register.ts'
import { loadRoutes } from '../../serve/load-routes.ts'
import type { Answer } from '../../serve/answer.ts'
import type { Question } from '../../serve/site.ts'
import { lakeFolder, type SiteOptions } from '../site.ts'

export type ServeApi = {
  /** Adds the API to a server. `keys` is null where everybody who reaches the server may ask. */
  register: (app: FastifyInstance, keys: KeyRing | null) => Promise<void>
  stop: () => Promise<void>
}

/** Bounds the memory of queries; what groups more than fits fails and says so. */
const MEMORY_MIB_MAX = 1024

/** Starts the thread that answers. */
export const startServe = (place: SiteOptions, now: () => Date): ServeApi => {
  const settings = { lake: lakeFolder(place), threads: 2, memoryMaxMib: MEMORY_MIB_MAX }
  const worker = startThread(new URL('serve-worker', import.meta.url).href, settings)
  const caller = new WorkerCaller(worker)
  return {
    register: async (app, keys) =>
      registerApi(app, {
        routes: await loadRoutes(),
        answer: (question: Question) => caller.call('answer', [question]) as Promise<Answer>,
        identify: (headers) => readerOf(headers, keys, now().getTime())
      }),
    stop: async () => {
      await worker.terminate()
    }
  }
}

const readerOf = (headers: IncomingHttpHeaders, keys: KeyRing | null, nowMs: number): Access => {
  // Without keys only this machine reaches the server, and its users may read the files anyway.
  if (keys === null) return { tenant: null, admin: true }
  const key = keys.check(tokenOf(headers), 'read', nowMs)
  const tenant = tenantRead(key)
  return { tenant, admin: tenant === null && key.scopes.includes('admin') }
}
