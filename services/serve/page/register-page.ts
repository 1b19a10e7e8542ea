import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
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
  vary: 'accept-encoding',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}

/** Adds the page. It holds no data, so it needs no key: what it shows it asks of the API. */
export const registerPage = (app: FastifyInstance): void => {
  let files: ReturnType<typeof loadPage> | null = null
  const send = async (
    name: string,
    { headers }: FastifyRequest,
    reply: FastifyReply
  ): Promise<unknown> => {
    const file = (await (files ??= loadPage())).get(name)
    if (file === undefined) return reply.callNotFound()
    const isPacked = /\bgzip\b/.test(String(headers['accept-encoding']))
    const body = isPacked ? gzipSync(file) : Buffer.from(file)
    const mediaType = MEDIA_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'text/plain'
    const { etag } = seal({ mediaType, body }, null)
    reply.headers({ ...HEADERS, etag })
    if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send()
    if (isPacked) reply.header('content-encoding', 'gzip')
    return reply.type(mediaType).send(body)
  }
  for (const view of VIEWS) {
    app.get(view, (request, reply) => send('index.html', request, reply))
  }
  // Whoever mistypes an address in a browser gets the page, which says so; a program gets a problem.
  app.get('/*', (request, reply) =>
    !request.url.startsWith('/v1/') && /\btext\/html\b/.test(String(request.headers.accept))
      ? send('index.html', request, reply.code(404))
      : reply.callNotFound()
  )
  app.get('/page/:name', (request, reply) =>
    send((request.params as { name: string }).name, request, reply)
  )
}
