import type { FastifyInstance, FastifyReply } from 'fastify'
import { seal } from '../answer.ts'
import { isKnown } from '../http/register.ts'
import { loadPage } from './load-page.ts'

/** Addresses of the page's views: all are one document, which shows what its address says. */
const VIEWS = [
  '/',
  '/findings',
  '/incidents/*',
  '/explore',
  '/events',
  '/traces/*',
  '/tenants',
  '/tenants/*',
  '/reconcile',
  '/energy',
  '/months'
]

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8'
}

/** Nothing from elsewhere, nothing inline, no frames. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cache-control': 'no-cache',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** Adds the page. It holds no data, so it needs no key: what it shows it asks of the API. */
export const registerPage = (app: FastifyInstance): void => {
  let files: ReturnType<typeof loadPage> | null = null
  const send = async (
    name: string,
    known: string | undefined,
    reply: FastifyReply
  ): Promise<unknown> => {
    const body = (await (files ??= loadPage())).get(name)
    if (body === undefined) return reply.callNotFound()
    const mediaType = MEDIA_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain'
    const { etag } = seal({ mediaType, body }, null)
    reply.headers({ ...HEADERS, etag })
    if (isKnown(known, etag)) return reply.code(304).send()
    return reply.type(mediaType).send(Buffer.from(body))
  }
  for (const view of VIEWS) {
    app.get(view, (request, reply) => send('index.html', request.headers['if-none-match'], reply))
  }
  app.get('/page/:name', (request, reply) => {
    const { name } = request.params as { name: string }
    return send(name, request.headers['if-none-match'], reply)
  })
}
