import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import type { Desk } from '../../../services/serve/desk.ts'
import { createApiServer } from '../../../services/serve/http/server.ts'
import { registerApi } from '../../../services/serve/http/register.ts'
import { seal } from '../../../services/serve/answer.ts'
import { loadRoutes } from '../../../services/serve/load-routes.ts'
import type { LoadedRoute } from '../../../services/serve/route.ts'
import type { Target, Targets } from '../target.ts'

/**
 * Paths and query parameters of the API, up to the SQL that a route makes of them: the engine behind
 * it finds no row. What the engine makes of them is fuzzed in `services/serve/fuzz.test.ts`.
 */

/** Parameters that some route takes, as a reader would write them. */
const QUERIES = [
  'from=2026-03-02T09:00:00Z&to=2026-03-02T10:00:00Z',
  'last=6h&filter=model:gpt-4o&filter=route!:chat',
  'last=7d&by=tenant,model&measures=cost_usd,n&points=100',
  'limit=50&cursor=eyJ1cyI6MSwicCI6MCwibyI6MX0',
  'tenant=acme&failed=true',
  'month=2026-03'
]

const urlsOf = (route: LoadedRoute): string[] => {
  const path = route.path.replaceAll(/\{\w+\}/g, 'acme')
  return route.method === 'get' ? [path, ...QUERIES.map((query) => `${path}?${query}`)] : [path]
}

const EMPTY_HEAD = { version: 3, positions: new Map(), files: new Map(), state: new Map() }

/** A desk whose lake holds nothing; it keeps the statements that it was asked. */
const emptyDesk = (asked: string[]): Desk => {
  const ask = async (sql: string): Promise<[]> => {
    asked.push(sql)
    return []
  }
  return {
    version: 3,
    dataUntilMs: Date.parse('2026-03-02T10:30:00Z'),
    nowMs: Date.parse('2026-03-02T10:30:30Z'),
    access: { tenant: 'acme', admin: false },
    head: EMPTY_HEAD,
    budgetsUsd: {},
    rows: ask,
    windows: (_range, sql) => ask(sql),
    windowLists: async function* (_range, sql) {
      yield* await ask(sql)
    },
    table: async (sql) => ({ columns: [], rows: await ask(sql) }),
    query: async ({ sql }) => {
      await ask(sql)
      return { columns: [], rows: 0, truncated: false, body: new Uint8Array() }
    },
    location: ({ path }) => path
  }
}

/** A statement in which every text is closed: what came in can not have ended one. */
const checkQuotes = (sql: string): void => {
  // In one pass: two dashes within a text begin no comment.
  const rest = sql.replaceAll(/--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '')
  assert.ok(!/['"]/.test(rest), `a quote is left open: ${sql}`)
  assert.ok(!sql.includes('\0'), `a zero byte: ${JSON.stringify(sql)}`)
}

const openApi = async (
  routes: readonly LoadedRoute[],
  asked: string[]
): Promise<FastifyInstance> => {
  const byId = new Map(routes.map((route) => [route.id, route]))
  return createApiServer({
    registry: new Registry(),
    extend: (server) =>
      registerApi(server, {
        routes,
        identify: () => ({ tenant: 'acme', admin: false }),
        answer: async (_site, { route, input }) =>
          seal(await byId.get(route)!.answer(emptyDesk(asked), input), 3)
      })
  })
}

const http: Targets = async () => {
  const routes = await loadRoutes()
  const asked: string[] = []
  const app = await openApi(routes, asked)
  const target: Target = {
    name: '',
    seeds: () => routes.flatMap(urlsOf).map((url) => Buffer.from(url)),
    refuses: [],
    run: async (bytes) => {
      asked.length = 0
      // What is no URL at all never passes the parser of HTTP, which is the platform's.
      const url = `/${bytes.toString('latin1').replace(/^[/\\]+/, '')}`
      if (/[\0-\x20\x7f]/.test(url) || !URL.canParse(url, 'http://localhost')) return
      const { statusCode, payload, headers } = await app.inject({ url })
      assert.ok(statusCode < 500, `${statusCode} ${payload.slice(0, 300)}`)
      for (const value of Object.values(headers)) assert.ok(!/[\r\n]/.test(String(value)))
      asked.forEach(checkQuotes)
    }
  }
  return [target]
}
export default http
