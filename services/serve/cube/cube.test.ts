import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { openSettling, type Settling } from '../../../jobs/settle/scratch-settling.ts'
import { Engine, type Row } from '../../lake/engine.ts'
import { parquetWriter } from '../../lake/land-table.ts'
import { openLake, type Lake } from '../../lake/lake.ts'
import { scratchFolder } from '../../lake/scratch-lake.ts'
import { attach } from '../../lake/snapshot.ts'
import { groupsSql, readGroups, readPoints, seriesSql, type Cut, type Found } from '../explore.ts'
import type { Desk } from '../desk.ts'
import type { Range } from '../range.ts'
import { numberOf } from '../result.ts'
import { sqlText } from '../literal.ts'
import { DAY_MS, HOUR_MS } from '../range.ts'
import { Cube } from './cube.ts'
import { CUBE_LIMITS, type CubeLimits } from './limits.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
/**
 * Hours with calls: two days before and two with a few, one that is under way, and the last two not
 * settled. The first day is the last of five that the cube puts together as one.
 */
const HOURS = [-70, -27, 3, 4, 5, 22, 23, 24, 26, 30, 47, 48, 50, 51]
const OPEN_HOURS = [52, 53]
const MINUTE_MS = 60_000
const SEED = 48
const QUESTIONS = 30

const eventOf = (hour: number, index: number): Record<string, unknown> => ({
  id: `event-${hour}-${index}`,
  time: new Date(START_MS + hour * HOUR_MS + index * 7 * MINUTE_MS).toISOString(),
  tenant: ['acme', 'globex', 'initech'][index % 3],
  kind: index % 4 === 3 ? 'tool' : 'llm',
  ...(index % 4 === 3 ? { name: `tool-${index % 2}` } : { provider: 'openai' }),
  ...(index % 4 === 3
    ? {}
    : { response_model: index % 2 === 0 ? 'gpt-4o-2024-08-06' : 'unheard-of' }),
  ...(index % 5 === 0 ? {} : { route: `route-${Math.abs(hour % 2)}` }),
  duration_ms: 100 + (((hour + 100) * 31 + index * 17) % 900),
  status: index % 6 === 5 ? 500 : 200,
  tokens: { in_uncached: 1000 + index, in_cache_read: (hour + 100) * 10, out_text: 20 },
  ...(index % 2 === 0 ? {} : { local: { tokenizer: 'o200k', in: 990 + index, out: 20 } })
})

const eventsOf = (hours: readonly number[]): object[] =>
  hours.flatMap((hour) => Array.from({ length: 9 }, (_, index) => eventOf(hour, index)))

type Site = { settling: Settling; engine: Engine; lake: Lake; base: Engine }

const openSite = async (t: TestContext): Promise<Site> => {
  const settling = await openSettling(t)
  await settling.land(eventsOf(HOURS))
  await settling.settle()
  await settling.land(eventsOf(OPEN_HOURS))
  const [engine, base] = [await Engine.open(), await Engine.open()]
  t.after(() => [engine, base].forEach((one) => one.close()))
  const lake = await openLake(settling.dir, { writeParquet: parquetWriter(engine) })
  return { settling, engine, lake, base }
}

type Question = { cut: Cut; stepS: number | null; tenant: string | null; limit: number }

const MEASURES = [
  'calls',
  'cost_usd',
  'in_total',
  'error_rate',
  'cache_hit_rate',
  'duration_ms2',
  'cache_xx_ppm2',
  'input_drift_ratio',
  'n_unpriced',
  'duration_p50_ms',
  'duration_p95_ms'
]
const STEPS_S = [60, 900, 3600, 10_800, 86_400, 604_800]
const FIRST_MINUTE = (-5 * DAY_MS) / MINUTE_MS
const END_MINUTE = (3 * DAY_MS) / MINUTE_MS
const MINUTES_GRAIN_MAX = 360

/** Any measures by any dimensions over any range, for anybody. */
const questions = fc
  .record({
    measures: fc.uniqueArray(fc.constantFrom(...MEASURES), { minLength: 1, maxLength: 3 }),
    by: fc.uniqueArray(fc.constantFrom('tenant', 'model', 'route', 'kind', 'name'), {
      maxLength: 2
    }),
    where: fc.constantFrom(
      [],
      [`tenant = 'acme'`],
      [`"name" IS NULL`],
      [`route IS DISTINCT FROM 'route-1'`]
    ),
    ends: fc.uniqueArray(fc.integer({ min: FIRST_MINUTE, max: END_MINUTE }), {
      minLength: 2,
      maxLength: 2
    }),
    stepS: fc.constantFrom(null, ...STEPS_S),
    tenant: fc.constantFrom(null, 'globex'),
    limit: fc.constantFrom(1, 2, 1000)
  })
  .map(({ ends, stepS, measures, by, where, tenant, limit }): Question => {
    const [from = 0, to = 0] = [...ends].sort((a, b) => a - b)
    const isShort = to - from <= MINUTES_GRAIN_MAX
    const unitMs = isShort ? MINUTE_MS : HOUR_MS
    const range = {
      fromMs: START_MS + Math.floor((from * MINUTE_MS) / unitMs) * unitMs,
      toMs: START_MS + Math.ceil((to * MINUTE_MS) / unitMs) * unitMs,
      grain: isShort ? ('minute' as const) : ('hour' as const)
    }
    const step = stepS === null || isShort ? stepS : Math.max(stepS, HOUR_MS / 1000)
    return { cut: { range, measures, by, where }, stepS: step, tenant, limit }
  })

/** Groups that only their keys tell apart, one of which is null. */
const EQUAL_GROUPS: Question = {
  cut: {
    range: { fromMs: START_MS, toMs: START_MS + 2 * DAY_MS, grain: 'hour' },
    measures: ['n_unpriced', 'duration_p95_ms'],
    by: ['name', 'kind'],
    where: []
  },
  stepS: null,
  tenant: null,
  limit: 1000
}

/** Of many, those with the largest quantiles, where several have the last one's. */
const LARGEST: Question[] = [1, 2, 3].map((limit) => ({
  ...EQUAL_GROUPS,
  cut: { ...EQUAL_GROUPS.cut, measures: ['duration_p95_ms', 'calls'], by: ['tenant', 'name'] },
  limit
}))

/** Of the dimensions of each rollup that has blocks longer and shorter than days, over all of the time. */
const LONG: Question[] = [['tenant'], ['tenant', 'model']].flatMap((by) =>
  [null, 21_600].map((stepS) => ({
    cut: {
      range: { fromMs: START_MS - 5 * DAY_MS, toMs: START_MS + 3 * DAY_MS, grain: 'hour' },
      measures: ['calls', 'duration_p95_ms'],
      by,
      where: []
    },
    stepS,
    tenant: null,
    limit: 1000
  }))
)

const textOf = ({ cut, stepS, limit }: Question): string =>
  stepS === null ? groupsSql(cut, limit) : seriesSql(cut, stepS)

const comparable = (rows: readonly Row[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
    )
    .sort()

const fromCube = async ({ engine }: Site, cube: Cube, question: Question): Promise<Row[]> => {
  const { tenant, stepS, cut } = question
  await engine.run(`SET VARIABLE tenant = ${tenant === null ? 'NULL::VARCHAR' : sqlText(tenant)}`)
  const always = tenant === null ? [] : ['tenant']
  const sql = textOf(question)
  const cells = await cube.relation({ sql, range: cut.range, always, stepS })
  return engine.rows(`WITH windows AS NOT MATERIALIZED (${cells})\n${sql}`)
}

/** As routes read it: what has quantiles is merged outside of the database. */
const asRoutes = async ({ engine }: Site, cube: Cube, { cut, stepS, tenant, limit }: Question) => {
  const always = tenant === null ? [] : ['tenant']
  const over = async (range: Range, sql: string, step?: number | null): Promise<string> =>
    `WITH windows AS NOT MATERIALIZED (${await cube.relation({ sql, range, always, stepS: step })})\n${sql}`
  const desk = {
    windows: async (...asked: Parameters<typeof over>) => engine.rows(await over(...asked)),
    windowLists: async function* (...asked: Parameters<typeof over>) {
      yield* engine.lists(await over(...asked))
    }
  } as unknown as Desk
  if (stepS !== null) return { found: await readPoints(desk, cut, stepS), total: null }
  const { groups, total } = await readGroups(desk, cut, limit)
  return { found: groups, total }
}

/** Numbers by what a histogram's bin leaves of them. */
const rounded = (value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(12)) : (value ?? null)

/** Rows of the text and groups of the routes, as texts in one shape. */
const shapes = ({ cut, stepS }: Question, rows: readonly Row[], found: readonly Found[]) => {
  const names = [...cut.by, ...cut.measures]
  const told = (of: (name: string) => unknown, timeS: unknown): string =>
    JSON.stringify([timeS, ...names.map((name) => rounded(of(name)))])
  return [
    rows.map((row) =>
      told(
        (name) => (cut.by.includes(name) ? row[name] : numberOf(row[name])),
        stepS === null ? null : numberOf(row['time'])
      )
    ),
    found.map(({ key, values, timeS }) => told((name) => key[name] ?? values[name], timeS))
  ] as const
}

const fromTables = ({ base }: Site, question: Question): Promise<Row[]> => {
  const { cut, tenant } = question
  const own = tenant === null ? [] : [`tenant = ${sqlText(tenant)}`]
  return base.rows(textOf({ ...question, cut: { ...cut, where: [...cut.where, ...own] } }))
}

/** Random questions get from the cube what the tables of the same version say. */
const answersAreEqual = async (site: Site, cube: Cube): Promise<void> => {
  const head = await site.lake.head()
  await attach({ engine: site.base, lake: site.lake }, head)
  await cube.follow(head)
  let filled = 0
  const property = fc.asyncProperty(questions, async (question) => {
    const expected = comparable(await fromTables(site, question))
    const rows = await fromCube(site, cube, question)
    assert.deepEqual(comparable(rows), expected, textOf(question))
    const { found, total } = await asRoutes(site, cube, question)
    const [texts, read] = shapes(question, rows, found)
    if (total !== null) {
      const whole = { ...question, cut: { ...question.cut, by: [] } }
      const everything = [{ key: {}, values: total, timeS: null }]
      const [text, told] = shapes(whole, await fromTables(site, whole), everything)
      assert.deepEqual(told, text, textOf(whole))
    }
    // Steps of one time come in no order.
    if (question.stepS === null) assert.deepEqual(read, texts, textOf(question))
    else assert.deepEqual([...read].sort(), [...texts].sort(), textOf(question))
    if (expected.length > 1) filled++
  })
  await fc.assert(property, {
    seed: SEED,
    numRuns: QUESTIONS,
    examples: [EQUAL_GROUPS, ...LARGEST, ...LONG].map((one) => [one])
  })
  assert.ok(filled > QUESTIONS / 4, `${filled} questions had rows to compare`)
}

/** Nothing is read before it is told to, and then file by file. */
const SLOWLY: CubeLimits = { ...CUBE_LIMITS, rowsAtOnceMax: 1, rowsFirstMax: 0 }

describe('the cube', { timeout: 600_000 }, () => {
  test('answers as the tables do, however much of them it has read, and after hours were settled again', async (t) => {
    const site = await openSite(t)
    const cube = await Cube.open(site.engine, site.lake, { file: null, limits: SLOWLY })
    await answersAreEqual(site, cube)
    assert.equal(cube.toDo, HOURS.length)
    for (let read = 0; read < HOURS.length / 2; read++) await cube.readOn()
    await answersAreEqual(site, cube)
    while (await cube.readOn());
    assert.equal(cube.toDo, 0)
    await answersAreEqual(site, cube)

    // Late calls: an hour of the first day is settled again, and that day is not whole until it is read.
    await site.settling.land([{ ...eventOf(4, 2), id: 'late' }])
    await site.settling.settle()
    await answersAreEqual(site, cube)
    assert.equal(cube.toDo, OPEN_HOURS.length + 1)
    while (await cube.readOn());
    await answersAreEqual(site, cube)
  })

  test('is kept in its file: what was read is not read again', async (t) => {
    const site = await openSite(t)
    const file = path.join(await scratchFolder(t), 'cube.duckdb')
    const cube = await Cube.open(site.engine, site.lake, { file, limits: SLOWLY })
    await cube.follow(await site.lake.head())
    while (await cube.readOn());
    await cube.close()
    await site.engine.run('DETACH live')
    const again = await Cube.open(site.engine, site.lake, { file, limits: SLOWLY })
    await again.follow(await site.lake.head())
    assert.equal(again.toDo, 0)
    await answersAreEqual(site, again)
  })

  test('says that it is still reading rather than read too much for one answer', async (t) => {
    const site = await openSite(t)
    const limits = { ...SLOWLY, rowsDirectMax: 20 }
    const cube = await Cube.open(site.engine, site.lake, { file: null, limits })
    await cube.follow(await site.lake.head())
    const over = (fromMs: number) =>
      cube.relation({
        sql: 'SELECT sum(n) FROM windows',
        range: { fromMs, toMs: START_MS + 3 * DAY_MS, grain: 'hour' },
        always: [],
        stepS: null
      })
    await assert.rejects(over(START_MS), { code: 'E_WARMING', retriable: true })
    await over(START_MS + 51 * HOUR_MS)
    while (await cube.readOn());
    await over(START_MS)
  })
})
