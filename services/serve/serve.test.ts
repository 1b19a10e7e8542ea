import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { loadRoutes } from './load-routes.ts'
import { openTestApi, openTestLake, TENANTS, type TestApi } from './test-cluster.ts'

type Json = Record<string, never>

const HOURS = 'from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z'
const MINUTES = 'from=2026-03-02T09:00:00Z&to=2026-03-02T12:00:00Z'

describe(
  'the API over a lake of two settled hours and one that is not',
  { timeout: 120_000 },
  () => {
    const ends: (() => unknown)[] = []
    const t = { after: (end: () => unknown) => ends.unshift(end) } as never
    let api: TestApi

    before(async () => {
      const { dir } = await openTestLake(t)
      api = await openTestApi(t, dir)
    })
    after(async () => {
      for (const end of ends) await end()
    })

    test('the overview counts each call once, in hours as in minutes', async () => {
      for (const range of [HOURS, MINUTES]) {
        const { json } = await api.get(`/v1/overview?${range}`)
        const { totals, series, top_tenants, open_findings } = json as unknown as {
          totals: Json
          series: { calls: number[]; time: number[] }
          top_tenants: Json[]
          open_findings: Json
        }
        assert.equal(totals['calls'], 450)
        assert.equal(totals['provisional_calls'], 90)
        assert.equal(totals['in_total'], 3 * 150 * 1000 + 3 * 10 * ((149 * 150) / 2))
        assert.equal(
          series.calls.reduce((sum, n) => sum + n, 0),
          450
        )
        assert.equal(top_tenants.length, 3)
        assert.deepEqual(open_findings, { total: 3, info: 0, warning: 0, critical: 3 })
      }
    })

    test('charts show the minutes of the hours that have data, whatever the range, by all of their calls', async () => {
      type Charted = { step_s: number; time: number[]; calls: number[]; mid_j: number[] }
      const month = 'from=2026-02-15T00:00:00Z&to=2026-03-15T00:00:00Z'
      const asked = `${month}&measures=calls&step=auto`
      const charted = async (url: string): Promise<Charted> =>
        ((await api.get(url)).json as unknown as { series: Charted }).series
      const overview = await charted(`/v1/overview?${month}`)
      const energy = await charted(`/v1/energy?${month}`)
      const { series, sql } = (await api.get(`/v1/explore?${asked}`)).json as unknown as {
        series: { step_s: number; groups: { values: { calls: number[] } }[] }
        sql: string
      }
      for (const { step_s } of [overview, energy, series]) assert.equal(step_s, 60)
      assert.equal(overview.time.length, 150)
      assert.deepEqual(overview.calls, Array<number>(150).fill(3))
      assert.deepEqual(series.groups[0]?.values.calls, overview.calls)
      assert.match(sql, /INTERVAL 60 SECONDS/)
      assert.deepEqual(energy, await charted(`/v1/energy?${MINUTES}`))
    })

    test('explore divides any measure by any dimension, and quantiles come from merged histograms', async () => {
      const url = `/v1/explore?${HOURS}&measures=calls,duration_p50_ms,error_rate&by=tenant,kind&step=3600`
      const { json, status } = await api.get(url)
      assert.equal(status, 200)
      const { groups, total, series } = json as unknown as {
        groups: { key: Json; values: Record<string, number> }[]
        total: Record<string, number>
        series: { time: number[]; groups: { values: { calls: (number | null)[] } }[] }
      }
      assert.equal(groups.length, 6)
      assert.deepEqual(groups[0]?.key, { tenant: 'acme', kind: 'llm' })
      assert.equal(total['calls'], 450)
      // Durations are 100 to 249 ms, each three times: the 225th of them is 174 ms.
      assert.ok(Math.abs((total['duration_p50_ms'] ?? 0) / 174 - 1) <= 0.01, JSON.stringify(total))
      assert.equal(total['error_rate'], 0.1)
      assert.equal(series.time.length, 3)
      const calls = series.groups.flatMap(({ values }) => values.calls)
      assert.equal(
        calls.reduce<number>((sum, n) => sum + (n ?? 0), 0),
        450
      )
    })

    test('explore draws lines of the largest groups alone, also where a dimension has no value', async () => {
      // Four of the six groups: each of their values is in one of the other two as well.
      const url = `/v1/explore?${HOURS}&measures=calls&by=tenant,script,kind&step=3600&limit=4`
      const { json } = await api.get(url)
      type Line = { key: Json; values: { calls: (number | null)[] } }
      const { groups, series, sql } = json as unknown as {
        groups: { key: Json; values: { calls: number } }[]
        series: { groups: Line[] }
        sql: string
      }
      assert.equal(groups.length, 4)
      assert.equal(groups[0]?.key['script'], null)
      const sums = series.groups.map(({ key, values }) => ({
        key,
        values: { calls: values.calls.reduce<number>((sum, n) => sum + (n ?? 0), 0) }
      }))
      assert.deepEqual(sums, groups)
      // The query of the lines reads those groups and no others: with many it would take for ever.
      const [, lines = ''] = sql.split(';\n\n')
      const { rows } = (await api.sql(lines)).json as unknown as { rows: Record<string, string>[] }
      const names = (key: Record<string, string>): string =>
        `${key['tenant']} ${key['script']} ${key['kind']}`
      assert.deepEqual(
        [...new Set(rows.map(names))].toSorted(),
        groups.map(({ key }) => names(key as Record<string, string>)).toSorted()
      )
    })

    test('the SQL that explore shows gives the same numbers when it is run', async () => {
      const url = `/v1/explore?${MINUTES}&measures=calls,in_total&by=tenant`
      const { groups, sql } = (await api.get(url)).json as unknown as {
        groups: never[]
        sql: string
      }
      const { rows } = (await api.sql(sql)).json as unknown as { rows: Json[] }
      assert.deepEqual(
        rows,
        groups.map(({ key, values }: { key: Json; values: Json }) => ({ ...key, ...values }))
      )
    })

    test('rows of a query are JSON also where a number is not finite', async () => {
      const { status, json, text } =
        await api.sql(`SELECT 'infinity'::DOUBLE AS most, '-infinity'::DOUBLE AS least,
        ['nan'::DOUBLE, 1.5] AS list, {'say': 'NaN, \\"Infinity'} AS words, 2.5 AS plain`)
      assert.equal(status, 200, text)
      assert.deepEqual(json['rows'], [
        {
          most: 'Infinity',
          least: '-Infinity',
          list: ['NaN', 1.5],
          words: { say: 'NaN, \\"Infinity' },
          plain: 2.5
        }
      ])
    })

    test('queries may use lists, structures, times of day and the like', async () => {
      const query = `SELECT [1, 2][1] AS one, {'a': 2}.a AS two, extract(hour FROM min(time)) AS nine,
        trim(' x ') AS x, (min(time) AT TIME ZONE 'UTC')::VARCHAR AS at, MAP {'k': 3}['k'] AS three,
        list_sum([n * 2 FOR n IN [1, 2]]) AS six FROM events`
      const { status, json, text } = await api.sql(query, 'acme')
      assert.equal(status, 200, text)
      const row = { one: 1, two: 2, nine: 9, x: 'x', at: '2026-03-02 09:00:00', three: 3, six: 6 }
      assert.deepEqual(json['rows'], [row])
    })

    test('a list of events is walked by its cursor without loss or repetition', async () => {
      const ids: string[] = []
      let cursor = ''
      do {
        const url = `/v1/events?${HOURS}&limit=97${cursor === '' ? '' : `&cursor=${cursor}`}`
        const page = (await api.get(url)).json as unknown as {
          events: { id: string; time: string }[]
          next: string | null
        }
        ids.push(...page.events.map(({ id }) => id))
        cursor = page.next ?? ''
      } while (cursor !== '')
      assert.equal(ids.length, 450)
      assert.equal(new Set(ids).size, 450)
    })

    test('events are found by what they failed of and by any text column', async () => {
      const failed = (await api.get(`/v1/events?${HOURS}&failed=true&tenant=acme&limit=100`)).json
      assert.equal((failed['events'] as unknown as Json[]).length, 15)
      const filtered = await api.get(
        `/v1/events?${HOURS}&filter=user:acme-user&filter=kind!:tool&limit=200`
      )
      assert.equal((filtered.json['events'] as unknown as Json[]).length, 100)
    })

    test('a trace is a tree, found without being told when it was', async () => {
      const { json, status } = await api.get('/v1/traces/acme-trace-3')
      assert.equal(status, 200)
      const nodes = json['nodes'] as unknown as { depth: number; parent: number | null }[]
      assert.deepEqual(
        nodes.map(({ depth }) => depth),
        [0, 1, 2, 3]
      )
      assert.equal((await api.get('/v1/traces/nowhere')).status, 404)
    })

    test('an incident comes with its series, evidence, runbook and course', async () => {
      const { json } = await api.get('/v1/findings/f-acme')
      const { series, evidence, runbook, history } = json as unknown as {
        series: { plots: string; lines: { name: string; values: number[] }[] }
        evidence: { events: { tenant: string }[] }
        runbook: { name: string; markdown: string }
        history: Json[]
      }
      assert.equal(series.plots, 'hit_rate_pct')
      assert.equal(series.lines[0]?.name, 'acme')
      assert.ok(series.lines[0]?.values.some((value) => value > 0))
      assert.equal(evidence.events.length, 16)
      assert.ok(evidence.events.every(({ tenant }) => tenant === 'acme'))
      assert.equal(runbook.name, 'cache-thrash')
      assert.match(runbook.markdown, /## Check first/)
      assert.equal(history.length, 1)
      assert.match((await api.get('/runbooks/cache-thrash')).text, /## Means/)
      assert.equal((await api.get('/runbooks/..%2f..%2fREADME')).status, 404)
    })

    test('a month, a tenant, energy and reconciliation add up to the same calls', async () => {
      const tenant = (await api.get('/v1/tenants/acme?month=2026-03')).json as unknown as {
        totals: { calls: number }
        budget_usd: string
        by_model: { calls: number }[]
      }
      assert.equal(tenant.totals.calls, 150)
      assert.equal(tenant.budget_usd, '100')
      assert.equal(
        tenant.by_model.reduce((sum, { calls }) => sum + calls, 0),
        150
      )
      const [month] = (await api.get('/v1/months')).json['months'] as unknown as Record<
        string,
        unknown
      >[]
      assert.deepEqual(
        [
          month?.['month'],
          month?.['calls'],
          month?.['hours_settled'],
          month?.['provisional_calls']
        ],
        ['2026-03', 450, 2, 90]
      )
      const reconcile = (await api.get(`/v1/reconcile?${HOURS}`)).json['models'] as unknown as {
        input: { calls: number; drift_ratio: number }
      }[]
      assert.equal(
        reconcile.reduce((sum, { input }) => sum + input.calls, 0),
        450
      )
      assert.ok(reconcile.every(({ input }) => input.drift_ratio > 0))
      assert.equal((await api.get(`/v1/energy?${HOURS}`)).status, 200)
    })

    test('an answer that is known is not sent again', async () => {
      const { etag } = await api.get(`/v1/overview?${HOURS}`)
      const headers = { 'if-none-match': etag }
      const again = await api.app.inject({ url: `/v1/overview?${HOURS}`, headers })
      assert.equal(again.statusCode, 304)
      assert.equal(again.payload, '')
    })

    test('a wrong parameter is named, and the answer says where parameters are told', async () => {
      for (const [query, says] of Object.entries({
        'step=1': 'query step is "1": ',
        'by=colour': 'query by is "colour": ',
        'from=yesterday': 'query from is "yesterday": give a time as 2026-',
        'last=fortnight': 'query last is "fortnight": give a length ',
        'colour=red': 'Unrecognized key: "colour"',
        'limit=0': 'query limit is "0": ',
        'last=1d&from=2026-03-02T00:00:00Z': 'both from and last',
        'filter=colour:red': 'filter "colour:red" names no dimension',
        'from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z': 'is no range'
      })) {
        const { status, json } = await api.get(`/v1/explore?${query}`)
        assert.equal(status, 400, query)
        assert.equal(json['code'], 'E_USAGE')
        assert.ok(String(json['detail']).includes(says), `${query}: ${json['detail']}`)
      }
      assert.equal((await api.get('/v1/findings?cursor=eyJ4IjoxfQ')).status, 400)
      assert.equal((await api.get('/v1/nothing')).status, 404)
    })

    test('every answer satisfies the schema that the document gives', async () => {
      const urls: Record<string, string> = {
        '/v1/tenants/{tenant}': '/v1/tenants/acme',
        '/v1/findings/{fingerprint}': '/v1/findings/f-acme',
        '/v1/traces/{id}': '/v1/traces/acme-trace-1',
        '/runbooks/{name}': '/runbooks/cache-thrash'
      }
      for (const { path, method, result, mediaTypes } of await loadRoutes()) {
        const reply =
          method === 'get' ? await api.get(urls[path] ?? path) : await api.sql('SELECT 1 AS one')
        assert.equal(reply.status, 200, path)
        if (mediaTypes === undefined || method === 'post') result.parse(reply.json)
      }
      assert.equal(TENANTS.length, 3)
    })
  }
)
