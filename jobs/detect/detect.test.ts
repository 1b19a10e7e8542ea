import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Finding } from '../../schemas/finding.ts'
import { drawTenants } from '../../infra/worlds/hit-rate.ts'
import { writeWindowFile } from '../../infra/worlds/window-file.ts'
import { openMemory } from '../../services/lake/memory.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import { Case, caseLines } from '../../services/signals/case.ts'
import { loadSignals } from '../../services/signals/load.ts'
import { backtestEvents, backtestWindows } from './backtest.ts'
import { openLines, type BadLine } from './event-file.ts'
import { openDetection, type DetectState } from './fold.ts'

const signals = (await loadSignals()).filter(({ id }) => id === 'cache-thrash')
const book = await loadBook()
const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000

const CASE = new URL(
  '../../services/signals/cache-thrash/cases/prefix-broken-early.json',
  import.meta.url
)
const lines = caseLines(Case.parse(JSON.parse(await readFile(CASE, 'utf8'))))

const backtest = async (source: AsyncIterable<string> | Iterable<string>, bad: BadLine[] = []) => {
  const database = await openMemory()
  const options = { database, signals, book, onBad: (line: BadLine) => bad.push(line) }
  const result = await backtestEvents(source, options)
  return { result, database }
}

test('bad lines are counted with their numbers, and the others go on', async () => {
  const bad: BadLine[] = []
  const mixed = ['{', ...lines.slice(0, 3), '{"id":"x"}', '', ...lines.slice(3)]
  const { result, database } = await backtest(mixed, bad)
  assert.deepEqual(
    bad.map(({ line }) => line),
    [1, 5]
  )
  assert.equal(result.badLines, 2)
  assert.equal(result.events, lines.length)
  assert.equal(result.findings.length, 1)
  database.close()
})

test('a gzip file gives what its lines give', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'backtest-'))
  const path = join(folder, 'events.ndjson.gz')
  await writeFile(path, gzipSync(lines.join('\n')))
  const [zipped, plain] = [await backtest(openLines(path)), await backtest(lines)]
  assert.deepEqual(zipped.result, plain.result)
  zipped.database.close()
  plain.database.close()
})

test('a file that is not there is told by its name', async () => {
  await assert.rejects(backtest(openLines('/nowhere/events.ndjson')), { code: 'E_USAGE' })
})

test('findings do not depend on where time is cut, nor on restarts at the cuts', async () => {
  const { result, database } = await backtest(lines)
  const relations = { windows: 'main.windows', prefixes: 'main.prefixes' }
  for (const step of [1, 7, 60]) {
    const findings: Finding[] = []
    let state: DetectState | undefined
    for (let minute = 0; minute < 60; minute += step) {
      const options = { signals, generation: 'backtest' }
      const detection = await openDetection(
        database,
        relations,
        state === undefined ? options : { ...options, state }
      )
      const from = START_MS + minute * MINUTE_MS
      findings.push(...(await detection.foldRange(from, from + step * MINUTE_MS)))
      state = detection.save()
    }
    assert.deepEqual(findings, result.findings, `steps of ${step} minutes`)
    assert.equal(state?.foldedUntilMs, START_MS + Math.ceil(60 / step) * step * MINUTE_MS)
  }
  database.close()
})

test('a window file needs no more than its main columns, in any order of rows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'windows-'))
  const [byTenant, byTime] = [join(folder, 'tenant.parquet'), join(folder, 'time.parquet')]
  const world = {
    tenants: drawTenants(12, 'noisy', 9).map((tenant) => ({ ...tenant, ratePerMinute: 8 })),
    days: 2,
    startMs: START_MS,
    change: (tenant: number) => (tenant === 3 ? { minute: 1500, factor: 0 } : null),
    seed: (tenant: number) => tenant + 1
  }
  await writeWindowFile(world, byTenant)
  const database = await openMemory()
  await database.run(`COPY (FROM '${byTenant}' ORDER BY window_start, tenant) TO '${byTime}'`)
  const one = await backtestWindows(byTenant, { database, signals })
  const other = await backtestWindows(byTime, { database, signals })
  assert.deepEqual(one, other)
  assert.deepEqual(
    one.findings.map(({ tenant, status }) => [tenant, status]),
    [['t3', 'firing']]
  )
  await database.run(`COPY (SELECT 1 AS n) TO '${join(folder, 'no.parquet')}'`)
  const wrong = backtestWindows(join(folder, 'no.parquet'), { database, signals })
  await assert.rejects(wrong, { code: 'E_USAGE' })
  database.close()
})

const DATA = new URL('../../../shared/data/cache-thrash/', import.meta.url)
const skip = existsSync(DATA) ? false : 'the cache-thrash data is not beside the repository'

const sessionLines = async (name: string, pool: string | null): Promise<string[]> => {
  const path = fileURLToPath(new URL(`${name}.jsonl.gz`, DATA))
  const rows = gunzipSync(await readFile(path))
    .toString()
    .trim()
    .split('\n')
  return rows.map((text, index) => {
    const row = JSON.parse(text) as Record<string, never>
    return JSON.stringify({
      id: String(index),
      time: new Date(START_MS + Math.round(row['t_s']! * 1000)).toISOString(),
      tenant: row['tenant'],
      kind: 'llm',
      provider: 'anthropic',
      response_model: row['model'],
      cache_pool: pool,
      tokens: {
        in_uncached: row['input_tokens']! - row['cache_read_tokens']!,
        in_cache_read: row['cache_read_tokens'],
        out_text: row['output_tokens']
      },
      prefix: { blocks: row['prefix_ladder'], block_tokens: 64 }
    })
  })
}

const victimsOf = ({ victims }: Finding): string[] =>
  victims.map((victim) => String(victim['tenant'])).sort()

for (const pool of ['shared', null]) {
  const cache = pool === null ? 'when the cache has no name' : 'in a named cache'

  test(`real sessions with one broken prefix: tenant-a is named ${cache}`, { skip }, async () => {
    const { result, database } = await backtest(await sessionLines('shifted', pool))
    const named = result.findings.flatMap(({ culprit }) => culprit?.['tenant'] ?? [])
    assert.ok(named.length > 0 && named.every((tenant) => tenant === 'tenant-a'))
    const [first] = result.findings
    assert.equal(first?.started_at, '2026-03-02T09:30:00.000Z')
    assert.ok(Date.parse(first.detected_at) <= START_MS + 40 * MINUTE_MS, first.detected_at)
    // In its first 7 minutes tenant-b is served 0.649 where the control is 0.716; in 11 minutes 0.724 for
    // 0.764, and over the hour 0.754 for 0.801: less than the 6 points that make a victim, which it still
    // seems to be by what it lost in those 11.
    const ofCache = result.findings.filter(({ tenant }) => tenant === null)
    assert.deepEqual(ofCache.map(victimsOf), [
      ['tenant-b', 'tenant-c', 'tenant-d'],
      ['tenant-b', 'tenant-c', 'tenant-d'],
      ['tenant-c', 'tenant-d']
    ])
    assert.ok(result.findings.some(({ cost_usd_per_hour: cost }) => Number(cost) > 0))
    assert.ok(result.findings.every(({ scope }) => scope['level'] !== 'model'))
    database.close()
  })

  test(`the same sessions without the break are silent ${cache}`, { skip }, async () => {
    const { result, database } = await backtest(await sessionLines('control', pool))
    assert.deepEqual(result.findings, [])
    database.close()
  })
}
