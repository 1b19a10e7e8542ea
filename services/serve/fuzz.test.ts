import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runCases } from './fuzz.ts'
import { openTestApi, openTestLake, TENANTS, type TestApi } from './test-cluster.ts'

/** Cases in the suite; `make prove` sets ten thousand. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 1000)
const SEED = 8

const OWN = TENANTS[0]
/** Every value of the other tenants starts with it. */
const OTHERS = 'zz-'

/** Ways to make an engine tell of rows that a query does not select. */
const ATTACKS = [
  "SELECT * FROM events WHERE tenant <> 'acme'",
  'SELECT * FROM events WHERE CAST(name AS INTEGER) > 0',
  "SELECT count(*) FROM events WHERE CASE WHEN tenant <> 'acme' THEN error(name) ELSE true END",
  "SELECT * FROM windows WHERE CASE WHEN tenant <> 'acme' THEN error('seen ' || tenant) ELSE true END",
  'SELECT max(route), min(route), max(tenant) FROM windows',
  'SELECT * FROM prefixes',
  'SELECT * FROM findings',
  'SELECT * FROM charges',
  'SELECT * FROM statements',
  'SELECT * FROM conflicts',
  'SELECT * FROM disagreements',
  'SELECT * FROM events_raw',
  'SELECT * FROM events_settled',
  'SELECT * FROM witnesses',
  'SELECT * FROM quarantine',
  'SELECT * FROM cube.hours',
  'SELECT * FROM temp.events',
  'SELECT * FROM memory.main.events',
  'WITH events AS (FROM events) FROM events',
  'WITH events_raw AS (SELECT 1) SELECT * FROM main.events_raw',
  'SELECT * FROM events_raw, (WITH events_raw AS (SELECT 1 AS one) FROM events_raw) AS x',
  'WITH RECURSIVE events AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM events WHERE n < 3) FROM events',
  'SELECT * FROM (SELECT * FROM events UNION ALL SELECT * FROM events) WHERE name::INTEGER = 1',
  'SELECT (SELECT string_agg(tenant) FROM windows)',
  'SELECT * FROM events e JOIN windows w ON w.tenant > e.tenant',
  'SELECT * FROM events QUALIFY row_number() OVER (PARTITION BY tenant) = 1',
  'SELECT DISTINCT ON (tenant) * FROM events',
  'SELECT tenant FROM events USING SAMPLE 100%',
  'SUMMARIZE events',
  'SUMMARIZE SELECT * FROM windows',
  'DESCRIBE events',
  'SHOW TABLES',
  'SHOW ALL TABLES',
  'EXPLAIN SELECT * FROM events',
  'EXPLAIN ANALYZE SELECT * FROM events',
  "SET VARIABLE tenant = 'zz'",
  'RESET VARIABLE tenant',
  "SELECT getvariable('tenant')",
  'SELECT * FROM duckdb_variables()',
  'SELECT * FROM duckdb_views()',
  'SELECT * FROM duckdb_settings',
  'SELECT * FROM duckdb_columns() WHERE table_name LIKE $$%$$',
  'SELECT * FROM pragma_database_list',
  'SELECT * FROM information_schema.tables',
  'SELECT stats(tenant), stats(id), stats(name) FROM events LIMIT 1',
  'SELECT stats(tenant), stats(route) FROM windows LIMIT 1',
  "SELECT json_serialize_plan('FROM duckdb_views()', optimize := true)",
  'SELECT main.stats(tenant) FROM events LIMIT 1',
  'SELECT system.main.stats(tenant) FROM events LIMIT 1',
  "SELECT main.getvariable('tenant'), pg_catalog.pg_get_viewdef(1)",
  "SELECT json_serialize_plan('FROM glob(''/**'')')",
  "SELECT * FROM query('FROM cube.hours')",
  "SELECT * FROM query_table('events_raw')",
  "SELECT * FROM json_execute_serialized_sql('{}')",
  "SELECT * FROM glob('/**')",
  "SELECT * FROM read_parquet('/**/*.parquet')",
  "SELECT * FROM '/dev/shm/x.parquet'",
  'SELECT * FROM "x.parquet", (WITH "x.parquet" AS (SELECT 1) SELECT 1)',
  "SELECT * FROM read_blob('/etc/hostname')",
  "COPY (SELECT 1) TO '/tmp/x.csv'",
  "ATTACH '/tmp/x.db'",
  'INSTALL httpfs',
  'CREATE TABLE x AS SELECT 1',
  'DELETE FROM events',
  'PRAGMA database_list',
  'CALL duckdb_views()',
  'SELECT 1; SELECT * FROM events_raw',
  'SELECT * FROM events) UNION ALL (SELECT * FROM events_raw',
  "SELECT 1 /* '*/ FROM events_raw --'",
  'FROM events SELECT tenant, error(tenant) WHERE false',
  "SELECT TRY(error(tenant)) FROM events WHERE tenant LIKE 'z%'"
]

describe('a key of one tenant', { timeout: 120_000 + CASES * 200 }, () => {
  const ends: (() => unknown)[] = []
  let api: TestApi

  before(async () => {
    const t = { after: (end: () => unknown) => ends.unshift(end) } as never
    const { dir } = await openTestLake(t)
    api = await openTestApi(t, dir)
  })
  after(async () => {
    for (const end of ends) await end()
  })

  test('gets nothing of other tenants by any query, in any format, not even by its errors', async () => {
    let answered = 0
    for (const query of ATTACKS) {
      const { status, text } = await api.sql(query, OWN)
      assert.ok(status < 500, `${query}: ${text}`)
      assert.ok(!text.includes(OTHERS), `${query}: ${text}`)
      if (status === 200) answered++
    }
    // Many of them are harmless, and answer with what is the tenant's own.
    assert.ok(answered > 15, String(answered))
    const csv = await api.sql('FROM events', OWN, { format: 'csv' })
    assert.equal(csv.status, 200)
    assert.ok(csv.text.includes(OWN) && !csv.text.includes(OTHERS))
    const own = await api.sql('SELECT DISTINCT tenant FROM events', OWN)
    assert.deepEqual(own.json['rows'], [{ tenant: OWN }])
    const all = await api.sql('SELECT DISTINCT tenant FROM events ORDER BY 1')
    assert.equal((all.json['rows'] as unknown as object[]).length, TENANTS.length)
  })

  test('can not tell another tenant from one that does not exist', async () => {
    const urls = (name: string) => [
      `/v1/overview?tenant=${name}`,
      `/v1/tenants/${name}`,
      `/v1/explore?filter=tenant:${name}&by=tenant`,
      `/v1/events?filter=tenant:${name}`,
      `/v1/events?filter=user:${name}-user`,
      `/v1/traces/${name}-trace-1`,
      `/v1/findings/f-${name}`,
      `/v1/findings?tenant=${name}`,
      `/v1/energy?filter=tenant:${name}`,
      `/v1/reconcile?tenant=${name}`
    ]
    const nobody = urls('zz-nobody')
    for (const [index, url] of urls('zz-globex').entries()) {
      const theirs = await api.get(url, OWN)
      const none = await api.get(nobody[index]!, OWN)
      assert.equal(theirs.status, none.status, url)
      assert.equal(theirs.text.replaceAll('zz-globex', 'zz-nobody'), none.text, url)
    }
  })

  test('gets nothing by a cursor or an entity tag that was made for others', async () => {
    let pages = 0
    let cursor = ''
    do {
      const url = `/v1/events?limit=40${cursor === '' ? '' : `&cursor=${cursor}`}`
      const all = await api.get(url)
      const own = await api.get(url, OWN)
      assert.equal(own.status, 200, own.text)
      assert.ok(!own.text.includes(OTHERS), url)
      const headers = { 'x-test-tenant': OWN, 'if-none-match': all.etag }
      const asked = await api.app.inject({ url, headers })
      assert.equal(asked.statusCode, own.text === all.text ? 304 : 200)
      cursor = String(all.json['next'] ?? '')
      pages++
    } while (cursor !== '')
    assert.ok(pages > 2)
  })

  test('gets its own findings without the names of others', async () => {
    const { json } = await api.get('/v1/findings', OWN)
    const findings = json['findings'] as unknown as Record<string, unknown>[]
    assert.deepEqual(
      findings.map((one) => one['fingerprint']),
      ['f-acme']
    )
    assert.equal(findings[0]?.['summary'], 'Cache hit rate fell: another tenant pushes it out')
    assert.deepEqual(findings[0]?.['victims'], [{ tenant: OWN }])
    assert.deepEqual(findings[0]?.['culprit'], { tenant: 'another tenant', also: 'another tenant' })
  })

  test('gets no 5xx and nothing of others in any case made from the document', async () => {
    const seen = await runCases(
      { inject: (options) => api.app.inject(options), cases: CASES, seed: SEED, tenant: OWN },
      ({ request, status, body }) => {
        assert.ok(status < 500, `${request}: ${status} ${body.slice(0, 500)}`)
        assert.ok(
          request.includes(OTHERS) || !body.includes(OTHERS),
          `${request}: ${body.slice(0, 500)}`
        )
      }
    )
    assert.equal(seen.cases, CASES)
    assert.ok(seen.answered > CASES / 10, `${seen.answered} answers`)
    assert.ok(seen.refused > CASES / 10, `${seen.refused} refusals`)
  })
})
