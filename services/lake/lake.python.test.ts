import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TABLES, type Column, type TableName } from '../../schemas/tables.ts'
import type { TableFile } from './commit.ts'
import { commitPath, encodeActions, readActions } from './delta-log.ts'
import { timeColumnOf, type DeltaSchema } from './delta-schema.ts'
import { landTable } from './land-table.ts'
import type { Lake } from './lake.ts'
import { mergeSmallFiles } from './merge.ts'
import { quoted } from './parquet-writer.ts'
import { retain } from './retain.ts'
import {
  commitOf,
  flush,
  headPaths,
  nextOf,
  openScratchLake,
  rangeOf,
  scratchFolder,
  sharedEngine
} from './scratch-lake.ts'

const PYTHON = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))
const READER = fileURLToPath(new URL('./read_tables.py', import.meta.url))
const skip = existsSync(PYTHON) ? false : 'needs .venv: run infra/python/setup.sh'

const DAY_MS = 24 * 60 * 60 * 1000
const NAMES = Object.keys(TABLES) as TableName[]

type Weights = { rows: number; columns: Record<string, [number, string]> }
type Seen = {
  version: number
  applied: number | null
  files: string[]
  comments: boolean
  since: [number, number] | null
  deltalake: Weights
  pyarrow: Weights
  polars: Weights
}

const readTables = async (lake: Lake): Promise<Record<string, Seen>> => {
  const run = promisify(execFile)
  const folder = lake.doors.files.location('')
  const { stdout } = await run(PYTHON, [READER, folder], { maxBuffer: 1 << 24 })
  return JSON.parse(stdout) as Record<string, Seen>
}

/** A value of each type for row `i`, with texts beyond ASCII and integers beyond 2^53. */
const VALUES: Readonly<Record<Column['type'], string>> = {
  VARCHAR: "'größe-' || i",
  'VARCHAR[]': "['a' || i, 'ß']",
  'SMALLINT[]': '[(i % 7)::SMALLINT, (-3)::SMALLINT]',
  BIGINT: '9007199254740993 + i',
  INTEGER: '(i * 3)::INTEGER',
  DOUBLE: 'i / 4.0::DOUBLE',
  'DOUBLE[]': '[i / 4.0::DOUBLE, 0.5]',
  BOOLEAN: 'i % 2 = 0',
  BLOB: "('b' || i)::BLOB",
  TIMESTAMPTZ: "TIMESTAMPTZ '2026-01-01T00:00:00.000123Z' + i * INTERVAL 61 SECONDS",
  'MAP(SMALLINT, BIGINT)': 'MAP {i::SMALLINT: 5::BIGINT, (i + 100)::SMALLINT: i::BIGINT}'
}

const TIMES = new Set(['time', 'window_start'])

/** The weight of `read_tables.py`, in SQL. */
const WEIGHTS: Readonly<Record<Column['type'], (name: string) => string>> = {
  VARCHAR: (name) => `length(${name})`,
  'VARCHAR[]': (name) => `list_sum(list_transform(${name}, lambda v: length(v)))`,
  'SMALLINT[]': (name) => `list_sum(${name})`,
  BIGINT: (name) => name,
  INTEGER: (name) => name,
  DOUBLE: (name) => `round_even(${name} * 1000, 0)`,
  'DOUBLE[]': (name) => `list_sum(list_transform(${name}, lambda v: round_even(v * 1000, 0)))`,
  BOOLEAN: (name) => `${name}::INTEGER`,
  BLOB: (name) => `octet_length(${name})`,
  TIMESTAMPTZ: (name) => `epoch_us(${name})`,
  'MAP(SMALLINT, BIGINT)': (name) =>
    `list_sum(list_transform(map_entries(${name}), lambda e: e.key * e.value))`
}

/** Every third value is null, but for the times that a row always has. */
const rowsSelect = (columns: readonly Column[], first: number, rows: number): string => {
  const values = columns.map(({ name, type }, index) => {
    const isNull = TIMES.has(name) ? 'false' : `i % 3 = ${(index + 1) % 3}`
    return `CASE WHEN ${isNull} THEN NULL ELSE ${VALUES[type]} END::${type} AS "${name}"`
  })
  return `SELECT ${values.join(', ')} FROM range(${first}, ${first + rows}) t(i)`
}

const land = async (lake: Lake, table: TableName, first: number): Promise<TableFile> => {
  const sql = rowsSelect(TABLES[table], first, 10)
  const doors = { engine: await sharedEngine(), lake }
  const file = await landTable(doors, { table, sql, time: timeColumnOf(table) })
  assert.ok(file)
  return file
}

/** Commits a file with every type of column to every table but the one that decides. */
const fill = async (lake: Lake, first: number): Promise<void> => {
  const adds: TableFile[] = []
  for (const table of NAMES) if (table !== 'ranges') adds.push(await land(lake, table, first))
  await lake.commit((head) => {
    const next = nextOf(head, 7)
    return commitOf({ ranges: [rangeOf(7, next, next + 10)], adds })
  })
}

const weigh = async (lake: Lake, table: TableName): Promise<Weights> => {
  const files = headPaths(await lake.head(), table).map((name) =>
    quoted(lake.doors.files.location(`${table}/${name}`))
  )
  const sums = TABLES[table].flatMap(({ name, type }, index) => [
    `count("${name}") AS n${index}`,
    `coalesce(sum((${WEIGHTS[type](`"${name}"`)})::HUGEINT), 0)::VARCHAR AS w${index}`
  ])
  const source = `read_parquet([${files.join(', ')}], union_by_name = true)`
  const [row] = await (
    await sharedEngine()
  ).rows(`SELECT count(*) AS n, ${sums.join(', ')} FROM ${source}`)
  const columns = TABLES[table].map(({ name }, index): [string, [number, string]] => [
    name,
    [Number(row?.[`n${index}`]), String(row?.[`w${index}`])]
  ])
  return { rows: Number(row?.['n']), columns: Object.fromEntries(columns) }
}

const assertReadersAgree = async (lake: Lake): Promise<Record<string, Seen>> => {
  const seen = await readTables(lake)
  assert.deepEqual(Object.keys(seen), [...NAMES].sort())
  const head = await lake.head()
  for (const table of NAMES) {
    const one = seen[table] as Seen
    const ours = await weigh(lake, table)
    assert.deepEqual(one.files, headPaths(head, table), table)
    for (const reader of ['deltalake', 'pyarrow', 'polars'] as const) {
      assert.deepEqual(one[reader], ours, `${reader} reads ${table}`)
    }
    assert.equal(one.since?.[0], one.since?.[1], `statistics of ${table}`)
    assert.equal(one.comments, true)
  }
  return seen
}

test('delta-rs, pyarrow and polars read every table and agree with DuckDB', { skip }, async (t) => {
  const folder = await scratchFolder(t)
  const young = await openScratchLake(folder)
  await fill(young, 0)
  await fill(young, 10)
  let seen = await assertReadersAgree(young)
  assert.equal(seen['events_raw']?.applied, 2)
  assert.equal(seen['events_raw']?.deltalake.rows, 20)

  await t.test('after a file was replaced', async () => {
    const file = await land(young, 'events_settled', 5)
    await young.commit((head) => {
      const [path = ''] = headPaths(head, 'events_raw')
      const removes = [{ table: 'events_raw' as const, path }]
      return commitOf({ kind: 'settle', adds: [file], removes })
    })
    seen = await assertReadersAgree(young)
    assert.equal(seen['events_raw']?.deltalake.rows, 10)
    assert.equal(seen['events_settled']?.deltalake.rows, 30)
  })

  await t.test('after checkpoints, merges and the cleaning of old files and logs', async () => {
    for (let commits = 0; commits < 110; commits++) await flush(young, 0, 1)
    const lake = await openScratchLake(folder, { nowMs: () => Date.now() + 8 * DAY_MS })
    assert.ok((await mergeSmallFiles(lake)) > 200)
    const { logFiles, dataFiles } = await retain(lake)
    assert.ok(logFiles >= 190 && dataFiles >= 1, `${logFiles} and ${dataFiles} files went`)
    assert.equal(await lake.doors.files.get(commitPath('gaps', 10)), null)
    seen = await assertReadersAgree(lake)
    assert.equal(seen['gaps']?.deltalake.rows, 130)
    await fill(lake, 30)
    await assertReadersAgree(lake)
  })
})

test('readers give nulls where a file is older than a column', { skip }, async (t) => {
  const folder = await scratchFolder(t)
  const older = await openScratchLake(folder)
  const { files } = older.doors
  const actions = (await readActions(files, 'conflicts', 0)) ?? []
  const metaData = actions.find((action) => action.metaData !== undefined)?.metaData
  assert.ok(metaData)
  const schema = JSON.parse(metaData.schemaString) as DeltaSchema
  metaData.schemaString = JSON.stringify({ ...schema, fields: schema.fields.slice(0, -1) })
  await files.put(commitPath('conflicts', 0), encodeActions(actions))
  const sql = rowsSelect(TABLES.conflicts.slice(0, -1), 0, 10)
  const doors = { engine: await sharedEngine(), lake: older }
  const file = await landTable(doors, { table: 'conflicts', sql, time: null })
  assert.ok(file)
  await older.commit(() => commitOf({ adds: [file] }))

  const newer = await openScratchLake(folder)
  await fill(newer, 10)
  const seen = await assertReadersAgree(newer)
  assert.equal(seen['conflicts']?.deltalake.rows, 20)
})
