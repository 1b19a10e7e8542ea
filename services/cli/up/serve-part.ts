import type { IncomingHttpHeaders } from 'node:http'
import path from 'node:path'
import type { Worker } from 'node:worker_threads'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { Failure } from '../../../schemas/failure.ts'
import { tokenOf } from '../../collect/http/sender.ts'
import type { KeyRing } from '../../collect/keys/key-ring.ts'
import { tenantRead } from '../../collect/keys/key.ts'
import { startThread } from '../../consume/thread.ts'
import { WorkerCaller } from '../../consume/worker-call.ts'
import type { Access } from '../../serve/access.ts'
import { serveMetrics } from '../../serve/http/metrics.ts'
import { registerApi } from '../../serve/http/register.ts'
import { registerPage } from '../../serve/page/register-page.ts'
import { loadRoutes } from '../../serve/load-routes.ts'
import type { Answer } from '../../serve/answer.ts'
import type { SiteName } from '../../serve/route.ts'
import { ANSWERS, type Question, type ServeSettings, type ServeSite } from '../../serve/site.ts'
import { lakeFolder, type SiteOptions } from '../site.ts'

export type ServeApi = {
  /** Adds the API to a server. `keys` is null where everybody who reaches the server may ask. */
  register: (app: FastifyInstance, keys: KeyRing | null) => Promise<void>
  /** Opens the lake, as the first question would. @returns hours and days that the cube lacks. */
  toDo: () => Promise<number>
  stop: () => Promise<void>
}

/** A query of a user may not take what the others need. */
const QUERIES = { threads: 2, memoryMaxMib: 384 }
const LIMITS = {
  // A person waits no longer, and a runaway query ends.
  timeMsMax: 30_000,
  // As much as a browser shows or a script reads at once.
  bytesMax: 64 << 20
}

export type ServeDoors = {
  now: () => Date
  registry: Registry
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd?: Readonly<Record<string, string>>
}

/** Starts the threads that answer: dashboards do not wait for queries of users. */
export const startServe = (
  place: SiteOptions,
  { now, registry, budgetsUsd = {} }: ServeDoors
): ServeApi => {
  const metrics = serveMetrics(registry)
  const cubeFile = path.join(place.data, 'cache', 'cube.duckdb')
  const common = { lake: lakeFolder(place), cubeFile, limits: LIMITS, budgetsUsd }
  const answers = startSite({ ...common, site: 'answers', ...ANSWERS })
  const queries = startSite({ ...common, site: 'queries', ...QUERIES })
  const sites: Record<SiteName, Site> = { answers, queries }
  return {
    register: async (app, keys) => {
      registerPage(app)
      await registerApi(app, {
        routes: await loadRoutes(),
        answer: (site, question) => sites[site].answer(question),
        metrics,
        identify: (headers) => readerOf(headers, keys, now().getTime())
      })
    },
    toDo: answers.toDo,
    stop: async () => {
      await Promise.all([answers.stop(), queries.stop()])
    }
  }
}

type Site = {
  answer: (question: Question) => Promise<Answer>
  toDo: () => Promise<number>
  stop: () => Promise<void>
}

/** More that wait would be answered after their askers have given up. */
const WAITING_MAX = 100

/** A thread that starts with its first question. */
const startSite = (settings: ServeSettings): Site => {
  let started: { worker: Worker; caller: WorkerCaller } | null = null
  let waiting = 0
  const start = (): { worker: Worker; caller: WorkerCaller } => {
    const worker = startThread(new URL('serve-worker', import.meta.url).href, settings)
    worker.once('exit', () => (started = null))
    return { worker, caller: new WorkerCaller(worker) }
  }
  const call = (method: keyof ServeSite, args: unknown[]): Promise<unknown> =>
    (started ??= start()).caller.call(method, args)
  return {
    answer: async (question) => {
      if (waiting >= WAITING_MAX) {
        throw new Failure('E_BACKPRESSURE', `${waiting} questions wait`, { retriable: true })
      }
      waiting++
      try {
        return (await call('answer', [question])) as Answer
      } finally {
        waiting--
      }
    },
    toDo: async () => Number(await call('toDo', [])),
    stop: async () => {
      const running = started
      if (running === null) return
      // A worker that never opened its lake has nothing to close.
      await running.caller.call('close', []).catch(() => undefined)
      await running.worker.terminate()
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
