import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import type { Access } from '../access.ts'
import type { LoadedRoute, SiteName } from '../route.ts'
import { seal, type Answer } from '../answer.ts'
import type { Question } from '../site.ts'
import type { ServeMetrics } from './metrics.ts'

export type ApiDoors = {
  routes: readonly LoadedRoute[]
  /** Answers at one of the sites. */
  answer: (site: SiteName, question: Question) => Promise<Answer>
  /** Who asks. @throws Failure E_UNAUTHENTICATED, E_FORBIDDEN. */
  identify: (headers: IncomingHttpHeaders) => Access
  metrics?: ServeMetrics
}

/** A query is text; more than this is a mistake. */
const BODY_BYTES_MAX = 1 << 20

/**
 * Adds the routes to a server. It is expected to tell Failures as problems.
 */
export const registerApi = async (app: FastifyInstance, doors: ApiDoors): Promise<void> => {
  await app.register(async (api) => {
    api.removeAllContentTypeParsers()
    api.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: BODY_BYTES_MAX },
      (_request, text, done) => {
        try {
          done(null, JSON.parse(String(text)) as unknown)
        } catch {
          done(new Failure('E_BODY_UNREADABLE', 'the body is not JSON'))
        }
      }
    )
    for (const route of doors.routes) {
      api.route({
        onResponse: (_request, reply, done) => {
          observe(route, doors.metrics, reply)
          done()
        },
        method: route.method,
        url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
        handler: (request, reply) => handle(route, doors, request, reply)
      })
    }
  })
}

const handle = async (
  route: LoadedRoute,
  { answer, identify }: ApiDoors,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<FastifyReply> => {
  const isOpen = route.scope === 'open'
  const access = isOpen ? null : identify(request.headers)
  if (route.scope === 'admin' && access?.admin !== true) {
    throw new Failure('E_FORBIDDEN', 'this needs a key with the scope admin')
  }
  const input = {
    ...checked(route.params, request.params, 'path'),
    ...checked(route.query, request.query, 'query'),
    ...checked(route.body, request.body, 'body')
  }
  try {
    const answered =
      access === null
        ? seal(await route.answer(null, input), null)
        : await answer(route.site ?? 'answers', { route: route.id, input, access })
    return send(request, reply, answered)
  } catch (error) {
    if (error instanceof Failure && error.code !== 'E_INTERNAL') throw error
    // What went wrong inside may name files and rows of others: it is for the log.
    request.log.error(error)
    throw new Failure('E_INTERNAL', 'the question could not be answered')
  }
}

const send = (
  request: FastifyRequest,
  reply: FastifyReply,
  { mediaType, body, etag, version, fileName }: Answer
): FastifyReply => {
  reply.header('etag', etag).header('cache-control', 'private, no-cache')
  if (version !== null) reply.header('x-tally-lake-version', version)
  if (request.method === 'GET' && isKnown(request.headers['if-none-match'], etag)) {
    return reply.code(304).send()
  }
  if (fileName !== undefined) {
    reply.header('content-disposition', `attachment; filename="${fileName}"`)
  }
  return reply.type(mediaType).send(typeof body === 'string' ? body : Buffer.from(body))
}

const checked = (
  schema: z.ZodObject | undefined,
  value: unknown,
  where: string
): Record<string, unknown> => {
  const parsed = (schema ?? NOTHING).safeParse(value ?? {})
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const [name = ''] = issue?.path ?? []
  const place = name === '' ? where : `${where} ${String(name)}${seenAt(value, name)}`
  throw new Failure('E_USAGE', `${place}: ${issue?.message}`, {
    hint: 'The parameters of every route are in /openapi.json.'
  })
}

/** Enough of a value to know it again. */
const SEEN_LENGTH_MAX = 60

/** What stood there, for who has to find it. */
const seenAt = (value: unknown, name: PropertyKey): string => {
  const seen = (value as Record<PropertyKey, unknown>)[name]
  return seen === undefined ? '' : ` is ${JSON.stringify(seen).slice(0, SEEN_LENGTH_MAX)}`
}

const MS_PER_S = 1000

const observe = (route: LoadedRoute, metrics: ServeMetrics | undefined, reply: FastifyReply) => {
  metrics?.requests.inc({ route: route.id, status: reply.statusCode })
  metrics?.seconds.observe({ route: route.id }, reply.elapsedTime / MS_PER_S)
}

/** No parameter is taken. */
const NOTHING = z.strictObject({})

/** Entity tags compare weakly here: what a proxy compressed is the same answer. */
export const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)
