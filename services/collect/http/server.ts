import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply
} from 'fastify'
import { Registry } from 'prom-client'
import { FAILURES, Failure, type FailureCode } from '../../../schemas/failure.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { EventLog } from '../../stream/log.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { CollectSettings } from '../settings.ts'
import type { LoadedSource } from '../sources/load.ts'
import type { Answer } from '../sources/source.ts'
import { Admission } from './admission.ts'
import { problemAnswer } from './answer.ts'
import { doorsOf } from './doors.ts'
import { Drain } from './drain.ts'
import { ingestRequest, type Desk } from './ingest-route.ts'
import { createMetrics } from './metrics.ts'
import { problemOf } from '../../../schemas/problem.ts'

export type CollectParts = {
  log: EventLog
  sources: readonly LoadedSource[]
  /** null = open to everyone who can reach it; see `assertGuarded`. */
  keys: KeyRing | null
  settings: CollectSettings
  now: () => Date
  registry?: Registry
  logger?: FastifyBaseLogger
  notReady?: () => string | null
  /** Adds what else answers at this address. */
  extend?: (app: FastifyInstance, keys: KeyRing | null) => Promise<void>
}

/** Idle connections longer than a load balancer's own timeout (60 s) avoid races on reuse. */
const KEEP_ALIVE_MS = 65_000
const RETRY_STATUSES = new Set([429, 503])

export type CollectServer = {
  app: FastifyInstance
  /** Takes no new connection, finishes the requests under way, then resolves. */
  close: () => Promise<void>
}

/** The collector's HTTP service, not yet listening. */
export const createCollectServer = async (parts: CollectParts): Promise<CollectServer> => {
  const { settings, logger } = parts
  const registry = parts.registry ?? new Registry()
  const admission = new Admission({
    bytesMax: settings.inFlightBytesMax,
    eventsMax: settings.inFlightEventsMax
  })
  const desk: Desk = { ...parts, admission, metrics: createMetrics(registry, () => admission) }
  const app = Fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: settings.requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false
  })
  const drain = new Drain()
  drain.watch(app)
  app.removeAllContentTypeParsers()
  // The body stays a stream: it is read, bounded and decompressed only after the key was checked.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  addIngest(app, desk, parts.sources, drain)
  addHealth(app, parts, drain)
  addMetrics(app, registry)
  addFaults(app, settings)
  await parts.extend?.(app, parts.keys)
  return { app, close: () => drain.close(app) }
}

/** Senders that kept a connection are told to come back, to the next process. */
const CLOSING = problemAnswer({
  ...problemOf(new Failure('E_BACKPRESSURE', 'the collector is shutting down')),
  status: 503
})

const addIngest = (
  app: FastifyInstance,
  desk: Desk,
  sources: readonly LoadedSource[],
  drain: Drain
): void => {
  for (const doors of doorsOf(sources)) {
    app.post(doors.path, async (request, reply) => {
      if (drain.isClosing) return send(reply, CLOSING, desk.settings)
      const isPartial = (request.query as { partial?: unknown }).partial === 'true'
      const answer = await ingestRequest(request.raw, doors, isPartial, desk)
      return send(reply, answer, desk.settings)
    })
  }
}

const send = (reply: FastifyReply, answer: Answer, settings: CollectSettings): FastifyReply => {
  if (RETRY_STATUSES.has(answer.status)) reply.header('retry-after', settings.retryAfterSeconds)
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer')
  if (answer.status === 415) reply.header('accept-encoding', 'gzip, deflate')
  return reply.code(answer.status).type(answer.mediaType).send(answer.body)
}

/** How long the log may take to answer before the collector calls itself not ready. */
const READY_TIMEOUT_MS = 2000

const addHealth = (app: FastifyInstance, { log, notReady }: CollectParts, drain: Drain): void => {
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    if (drain.isClosing) return reply.code(503).send({ status: 'draining' })
    const reason = notReady?.() ?? null
    if (reason !== null) return reply.code(503).send({ status: reason })
    const timeout = AbortSignal.timeout(READY_TIMEOUT_MS)
    const isReady = await Promise.race([
      log.partitions(EVENTS_TOPIC).then(
        () => true,
        () => false
      ),
      new Promise<boolean>((resolve) => timeout.addEventListener('abort', () => resolve(false)))
    ])
    return isReady ? { status: 'ready' } : reply.code(503).send({ status: 'log unavailable' })
  })
}

const addMetrics = (app: FastifyInstance, registry: Registry): void => {
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics())
  )
}

const addFaults = (app: FastifyInstance, settings: CollectSettings): void => {
  app.get('/problems/:code', (request, reply) => {
    const { code } = request.params as { code: string }
    if (!Object.hasOwn(FAILURES, code)) return reply.callNotFound()
    return { type: `/problems/${code}`, title: FAILURES[code as FailureCode] }
  })
  app.setNotFoundHandler((request, reply) => {
    const failure = new Failure('E_USAGE', `nothing answers ${request.method} ${request.url}`)
    return send(reply, problemAnswer({ ...problemOf(failure), status: 404 }), settings)
  })
  app.setErrorHandler((error, request, reply) => {
    const failure = error instanceof Failure ? error : strangerFailure(error)
    if (failure.code === 'E_INTERNAL') request.log.error(error)
    const problem = problemOf(failure)
    const { statusCode } = error as { statusCode?: number }
    const status = failure.code === 'E_USAGE' ? (statusCode ?? problem.status) : problem.status
    return send(reply, problemAnswer({ ...problem, status }), settings)
  })
}

/** Fastify's own refusals are the client's; anything else is a defect whose text stays inside. */
const strangerFailure = (error: unknown): Failure => {
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  return statusCode !== undefined && statusCode < 500
    ? new Failure('E_USAGE', String(message))
    : new Failure('E_INTERNAL', 'the collector failed on this request', { cause: error })
}
