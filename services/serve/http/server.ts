import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { FAILURES, Failure, type FailureCode } from '../../../schemas/failure.ts'
import { PROBLEM_TYPE, problemOf } from '../../../schemas/problem.ts'

/** Idle connections longer than a load balancer's own timeout (60 s) avoid races on reuse. */
const KEEP_ALIVE_MS = 65_000

export type ApiServerOptions = {
  registry: Registry
  logger?: FastifyBaseLogger
  /** Why a load balancer should wait; null = it need not. */
  notReady?: () => string | null
  /** Adds what answers. */
  extend: (app: FastifyInstance) => Promise<void>
}

/** A server for the API alone, not yet listening; where events are taken in, it shares that server. */
export const createApiServer = async (options: ApiServerOptions): Promise<FastifyInstance> => {
  const app = Fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true
  })
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', (_request, reply) => {
    const reason = options.notReady?.() ?? null
    return reply.code(reason === null ? 200 : 503).send({ status: reason ?? 'ready' })
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(options.registry.contentType).send(await options.registry.metrics())
  )
  addFaults(app)
  await options.extend(app)
  return app
}

const addFaults = (app: FastifyInstance): void => {
  app.get('/problems/:code', (request, reply) => {
    const { code } = request.params as { code: string }
    if (!Object.hasOwn(FAILURES, code)) return reply.callNotFound()
    return { type: `/problems/${code}`, title: FAILURES[code as FailureCode] }
  })
  app.setNotFoundHandler((request, reply) => {
    const failure = new Failure('E_NOT_FOUND', `nothing answers ${request.method} ${request.url}`)
    return reply
      .code(404)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problemOf(failure)))
  })
  app.setErrorHandler((error, request, reply) => {
    const failure = error instanceof Failure ? error : strangerFailure(error)
    if (failure.code === 'E_INTERNAL') request.log.error(error)
    const problem = problemOf(failure)
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
    if (problem.status === 429 || problem.status === 503) reply.header('retry-after', 1)
    return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
  })
}

/** The framework's own refusals are the client's; anything else is a defect whose text stays inside. */
const strangerFailure = (error: unknown): Failure => {
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  return statusCode !== undefined && statusCode < 500
    ? new Failure('E_USAGE', String(message))
    : new Failure('E_INTERNAL', 'this request failed inside', { cause: error })
}
