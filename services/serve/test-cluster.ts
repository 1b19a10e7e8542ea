import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { rowSelect } from '../../jobs/row-select.ts'
import { openSettling } from '../../jobs/settle/scratch-settling.ts'
import type { Finding } from '../../schemas/finding.ts'
import { numberFindings } from '../../schemas/incidents.ts'
import { landTable } from '../lake/land-table.ts'
import { commitOf, openScratchLake, sharedEngine } from '../lake/scratch-lake.ts'
import type { Access } from './access.ts'
import { createApiServer } from './http/server.ts'
import { registerApi } from './http/register.ts'
import { loadRoutes } from './load-routes.ts'
import { openServeSite, type ServeSettings } from './site.ts'

/** A lake of three tenants and an API over it, for tests. */

export const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000
/** Tenants whose names and values must not get to others; no other text holds them. */
export const TENANTS = ['acme', 'zz-globex', 'zz-initech'] as const

/** An event of minute `index`; whatever is text in it starts with the tenant's name. */
export const eventOf = (tenant: string, index: number): Record<string, unknown> => ({
  id: `${tenant}-event-${index}`,
  source: `${tenant}-source`,
  time: new Date(START_MS + index * MINUTE_MS).toISOString(),
  tenant,
  kind: index % 3 === 2 ? 'tool' : 'llm',
  name: `${tenant}-name`,
  provider: 'openai',
  response_model: index % 2 === 0 ? 'gpt-4o-2024-08-06' : `${tenant}-model`,
  route: `${tenant}-route`,
  user: `${tenant}-user`,
  trace_id: `${tenant}-trace-${Math.floor(index / 4)}`,
  span_id: `${tenant}-span-${index}`,
  ...(index % 4 === 0 ? {} : { parent_span_id: `${tenant}-span-${index - 1}` }),
  duration_ms: 100 + index,
  status: index % 10 === 9 ? 500 : 200,
  tokens: { in_uncached: 1000, in_cache_read: index * 10, out_text: 20 },
  local: { tokenizer: 'o200k', in: 990 + index * 10, out: 20 }
})

export const finding = (tenant: string | null, victim: string): Finding => ({
  signal: 'cache-thrash',
  fingerprint: `f-${tenant ?? 'fleet'}`,
  status: 'firing',
  severity: 'critical',
  tenant,
  scope: { level: 'tenant' },
  axis: 'prompt',
  started_at: new Date(START_MS + 60 * MINUTE_MS).toISOString(),
  detected_at: new Date(START_MS + 75 * MINUTE_MS).toISOString(),
  summary: `Cache hit rate fell: ${victim} pushes it out`,
  before: { hit_rate_pct: 80 },
  after: { hit_rate_pct: 20 },
  cost_usd_per_hour: '1.5',
  culprit: { tenant: victim, also: victim },
  victims: [{ tenant: tenant ?? victim }, { tenant: victim }],
  contributors: [{ tenant: victim, share: 0.5 }],
  runbook: 'services/signals/cache-thrash/runbook.md',
  query: `SELECT * FROM windows WHERE tenant = '${victim}'`,
  generation: 'g1'
})

/** Two settled hours and half an hour that is not, and a finding about each tenant. */
export const openTestLake = async (t: Pick<TestContext, 'after'>) => {
  const settling = await openSettling(t)
  const events = (from: number, to: number) =>
    TENANTS.flatMap((tenant) =>
      Array.from({ length: to - from }, (_, index) => eventOf(tenant, from + index))
    )
  await settling.land(events(0, 120))
  await settling.settle()
  await settling.land(events(120, 150))
  const lake = await openScratchLake(settling.dir)
  const findings = [
    finding('acme', 'zz-globex'),
    finding('zz-globex', 'zz-initech'),
    finding(null, 'zz-globex')
  ]
  await lake.commit(async (head) => {
    const { rows, state } = numberFindings(head.state, findings)
    const sql = rowSelect('findings', rows)
    const doors = { engine: await sharedEngine(), lake }
    const file = await landTable(doors, { table: 'findings', sql, time: 'detected_at' })
    return commitOf({ kind: 'detect', adds: file === null ? [] : [file], state })
  })
  return settling
}

const SETTINGS: Omit<ServeSettings, 'lake' | 'site'> = {
  cubeFile: null,
  threads: 1,
  memoryMaxMib: 256,
  limits: { timeMsMax: 2000, bytesMax: 1 << 20 },
  budgetsUsd: { acme: '100' }
}

/** Who asks is told by the header `x-test-tenant`; without it, an administrator. */
const identify = (headers: Record<string, unknown>): Access => {
  const tenant = headers['x-test-tenant']
  return typeof tenant === 'string' ? { tenant, admin: false } : { tenant: null, admin: true }
}

export type TestApi = {
  app: FastifyInstance
  /** GET as a tenant, or as an administrator. */
  get: (url: string, tenant?: string) => Promise<Reply>
  sql: (query: string, tenant?: string, more?: object) => Promise<Reply>
}

export type Reply = { status: number; text: string; json: Record<string, never>; etag: string }

export const openTestApi = async (t: Pick<TestContext, 'after'>, dir: string): Promise<TestApi> => {
  const sites = {
    answers: await openServeSite({ ...SETTINGS, lake: dir, site: 'answers' }),
    queries: await openServeSite({ ...SETTINGS, lake: dir, site: 'queries' })
  }
  const routes = await loadRoutes()
  const app = await createApiServer({
    registry: new Registry(),
    extend: (server) =>
      registerApi(server, {
        routes,
        identify,
        answer: (site, question) => sites[site].answer(question)
      })
  })
  t.after(async () => {
    await app.close()
    await sites.answers.close()
    await sites.queries.close()
  })
  const as = (tenant?: string) => (tenant === undefined ? {} : { 'x-test-tenant': tenant })
  return {
    app,
    get: async (url, tenant) => replyOf(await app.inject({ url, headers: as(tenant) })),
    sql: async (query, tenant, more = {}) =>
      replyOf(
        await app.inject({
          method: 'POST',
          url: '/v1/sql',
          headers: as(tenant),
          payload: { query, ...more }
        })
      )
  }
}

type Injected = Awaited<ReturnType<FastifyInstance['inject']>>

const replyOf = ({ statusCode, payload, headers }: Injected): Reply => ({
  status: statusCode,
  text: payload,
  json: String(headers['content-type']).includes('json')
    ? (JSON.parse(payload) as Record<string, never>)
    : {},
  etag: String(headers['etag'] ?? '')
})
