import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Failure } from '../../../schemas/failure.ts'
import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import type { Desk } from '../desk.ts'
import { sqlText } from '../literal.ts'
import { checkQuery, checkTableFunctions } from './check-query.ts'
import { offeredViews, viewSql } from './views.ts'

/** Runs queries from outside, each within its limits. */

export const FORMATS = ['json', 'csv', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

export type QueryLimits = {
  timeMsMax: number
  /** Of the answer, as it is sent. */
  bytesMax: number
}

export type UserQuery = { sql: string; format: Format; rowsMax: number }

export type QueryResult = {
  columns: { name: string; type: string }[]
  rows: number
  /** Whether there were more rows than asked for. */
  truncated: boolean
  body: Uint8Array
}

export type QueryRunner = {
  /** @throws Failure E_SQL, E_QUERY_LIMIT */
  run: (desk: Desk, query: UserQuery) => Promise<QueryResult>
  close: () => Promise<void>
}

/**
 * From here on the engine reads the lake and writes below one scratch folder, and nothing can
 * change that.
 */
export const openQueryRunner = async (
  engine: Engine,
  { lake, limits }: { lake: string; limits: QueryLimits }
): Promise<QueryRunner> => {
  const scratch = await mkdtemp(path.join(tmpdir(), 'tally-sql-'))
  await engine.run(
    `SET allowed_directories = [${quoted(lake)}, ${quoted(scratch)}];
     SET enable_external_access = false;
     SET lock_configuration = true`
  )
  let number = 0
  return {
    run: async (desk, query) => {
      const file = path.join(scratch, `${number++}.${query.format}`)
      try {
        return await runQuery({ engine, desk, file, limits }, query)
      } finally {
        await rm(file, { force: true })
      }
    },
    close: () => rm(scratch, { recursive: true, force: true })
  }
}

type Doors = { engine: Engine; desk: Desk; file: string; limits: QueryLimits }

const runQuery = async (
  { engine, desk, file, limits }: Doors,
  { sql, format, rowsMax }: UserQuery
): Promise<QueryResult> => {
  const text = sql.trim().replace(/;\s*$/, '')
  const views = await viewsOf(engine, desk, text)
  const query = `${views}SELECT * FROM (${text}\n) AS query LIMIT ${rowsMax + 1}`
  return guarded(desk, async () => {
    const columns = (await engine.rows(`DESCRIBE ${query}`)).map((row) => ({
      name: String(row['column_name'] as string),
      type: String(row['column_type'] as string)
    }))
    const select = format === 'json' ? jsonSelect(query, columns) : query
    await bounded(engine, { file, limits }, () =>
      engine.run(`COPY (${select}) TO ${quoted(file)} (${COPY[format]})`)
    )
    const rows = await countRows(engine, { file, format })
    const isLong = rows > rowsMax
    if (isLong && format !== 'json') {
      throw new Failure('E_QUERY_LIMIT', `the query has more than ${rowsMax} rows`, {
        hint: 'Aggregate or filter, or raise `limit`.'
      })
    }
    return { columns, rows: Math.min(rows, rowsMax), truncated: isLong, body: await readFile(file) }
  })
}

const COPY: Readonly<Record<Format, string>> = {
  json: 'FORMAT json',
  csv: 'FORMAT csv, HEADER',
  parquet: 'FORMAT parquet, COMPRESSION zstd'
}

/** The WITH clause of what the query reads, after the query was found to be allowed. */
const viewsOf = async (engine: Engine, desk: Desk, text: string): Promise<string> => {
  const [row] = await engine.rows(`SELECT json_serialize_sql(${sqlText(text)})::VARCHAR AS tree`)
  const tree = String(row?.['tree'] as string)
  const names = checkQuery(tree, offeredViews(desk.access))
  checkTableFunctions(tree)
  const ctes: string[] = []
  for (const name of names)
    ctes.push(`"${name}" AS NOT MATERIALIZED (${await viewSql(desk, name)})`)
  return ctes.length === 0 ? '' : `WITH ${ctes.join(',\n')}\n`
}

/** Values as JSON holds them without loss: large integers as strings, times as RFC 3339. */
const jsonSelect = (query: string, columns: QueryResult['columns']): string => {
  const select = columns.map(({ name, type }) => {
    const column = `"${name.replaceAll('"', '""')}"`
    return `${jsonValue(column, type)} AS ${column}`
  })
  return `SELECT ${select.join(', ')} FROM (${query})`
}

const jsonValue = (column: string, type: string): string => {
  if (/^(U?BIGINT|U?HUGEINT)$/.test(type)) {
    return `CASE WHEN abs(${column}::HUGEINT) < 9007199254740992 THEN to_json(${column}) ELSE to_json(${column}::VARCHAR) END`
  }
  if (type === 'TIMESTAMP WITH TIME ZONE') {
    return `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`
  }
  return column
}

const countRows = async (
  engine: Engine,
  { file, format }: { file: string; format: Format }
): Promise<number> => {
  if (format === 'json') return countLines(file)
  const read =
    format === 'csv'
      ? `read_csv(${quoted(file)}, header = true, all_varchar = true)`
      : `read_parquet(${quoted(file)})`
  const [row] = await engine.rows(`SELECT count(*)::DOUBLE AS n FROM ${read}`)
  return Number(row?.['n'])
}

const NEWLINE = 10

const countLines = async (file: string): Promise<number> => {
  let lines = 0
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (const byte of chunk) if (byte === NEWLINE) lines++
  }
  return lines
}

/** Often enough that a result can not outgrow its limit by much. */
const LOOK_MS = 50

/** Interrupts work that takes too long or writes too much. @throws Failure E_QUERY_LIMIT */
const bounded = async (
  engine: Engine,
  { file, limits }: { file: string; limits: QueryLimits },
  work: () => Promise<void>
): Promise<void> => {
  let exceeded: string | null = null
  const startedMs = performance.now()
  const look = setInterval(() => {
    void stat(file).then(
      ({ size }) => {
        if (size > limits.bytesMax) exceeded = `the result is larger than ${limits.bytesMax} bytes`
      },
      () => undefined
    )
    if (performance.now() - startedMs > limits.timeMsMax) {
      exceeded = `the query took longer than ${limits.timeMsMax} ms`
    }
    if (exceeded !== null) engine.interrupt()
  }, LOOK_MS)
  try {
    await work()
    if ((await stat(file)).size > limits.bytesMax) {
      exceeded = `the result is larger than ${limits.bytesMax} bytes`
    }
  } catch (error) {
    if (exceeded === null) throw error
  } finally {
    clearInterval(look)
  }
  if (exceeded !== null) {
    throw new Failure('E_QUERY_LIMIT', exceeded, { hint: 'Aggregate, or narrow the time.' })
  }
}

/** What the engine says, without what only its operator should know. */
const guarded = async <Value>(desk: Desk, work: () => Promise<Value>): Promise<Value> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'E_SQL') throw error
    if (/out of memory/i.test(error.message)) {
      throw new Failure('E_QUERY_LIMIT', 'the query needs more memory than it may have', {
        cause: error
      })
    }
    throw new Failure('E_SQL', readerText(error.message, desk), { cause: error })
  }
}

/** Binder and parser errors are about the query; those of running may quote rows and files. */
const ABOUT_THE_QUERY = /^(Binder|Parser|Catalog|Syntax) Error/

const readerText = (message: string, { access }: Desk): string => {
  const [first = ''] = message.split('\n\n', 1)
  if (access.tenant === null) return first
  return ABOUT_THE_QUERY.test(first) && !/[/\\]/.test(first)
    ? first
    : `${/^\w+ Error/.exec(first)?.[0] ?? 'Error'}: the query failed on a value`
}
