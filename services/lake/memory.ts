import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { Failure } from '../../schemas/failure.ts'
import { api } from './duckdb.ts'
import { copyRows } from './wide-copy.ts'

/** Columns of a chunk by name. DOUBLE arrives as Float64Array with null as NaN, text as strings. */
export type ColumnChunk = {
  rows: number
  columns: Readonly<Record<string, Float64Array | readonly (string | null)[]>>
}

/** Texts of a column by row, each decoded when it is asked for. */
export type Texts = { readonly at: (row: number) => string | null | undefined }

/** A whole result: DOUBLE as arrays with null as NaN, texts by row. */
export type WholeColumns = {
  rows: number
  numbers: Readonly<Record<string, Float64Array>>
  texts: Readonly<Record<string, Texts>>
}

/** Arrays of a statement that is read again and again, by column: a result overwrites the last. */
export type ColumnMemory = Map<string, Float64Array>

/** A database that lives in memory: for backtests and for detection over files. */
export type MemoryDatabase = {
  /** Runs one statement for its effect. */
  run: (sql: string) => Promise<void>
  /** See `copyRows`. */
  copy: (sql: string) => Promise<void>
  /** Streams a result by columns; every column must be DOUBLE or VARCHAR. */
  columns: (sql: string) => AsyncIterable<ColumnChunk>
  /** A whole result by columns; every column must be DOUBLE or VARCHAR. */
  whole: (sql: string, memory?: ColumnMemory) => Promise<WholeColumns>
  /** Appends strings to a table of one VARCHAR column. */
  appendLines: (table: string, lines: readonly string[]) => Promise<void>
  close: () => void
}

export type MemoryOptions = {
  /** Where sorting spills when it needs more than the limit. */
  temporaryFolder?: string
  memoryMegabytes?: number
  threads?: number
}

/** Half of the 1 GiB that a backtest may take: the fold's own state and V8 need the rest. */
const MEMORY_MEGABYTES = 448

export const openMemory = async (options: MemoryOptions = {}): Promise<MemoryDatabase> => {
  const { threads = 2 } = options
  const instance = await api.DuckDBInstance.create(':memory:', {
    memory_limit: `${options.memoryMegabytes ?? MEMORY_MEGABYTES}MB`,
    threads: String(threads),
    // As in every engine: the page cache has files of this machine already.
    enable_external_file_cache: 'false',
    ...(options.temporaryFolder === undefined ? {} : { temp_directory: options.temporaryFolder })
  })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  const run = (sql: string): Promise<void> =>
    guarded(sql, async () => void (await connection.run(sql)))
  return {
    run,
    copy: (sql) => copyRows(run, threads, sql),
    columns: (sql) => streamColumns(connection, sql),
    whole: (sql, memory) => readWhole(connection, sql, memory),
    appendLines: async (table, lines) => appendLines(connection, table, lines),
    close: () => {
      connection.closeSync()
      instance.closeSync()
    }
  }
}

/** Runs what asks the database. @throws Failure E_SQL, which has the statement's beginning. */
export const guarded = async <Value>(sql: string, work: () => Promise<Value>): Promise<Value> => {
  try {
    return await work()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Failure('E_SQL', `${reason}\nin: ${sql.slice(0, 400)}`, { cause })
  }
}

async function* streamColumns(
  connection: DuckDBConnection,
  sql: string
): AsyncGenerator<ColumnChunk> {
  yield* chunksOf(sql, await guarded(sql, () => connection.stream(sql)))
}

/** A whole result by columns: unlike a stream it outlives other statements of the connection. */
export async function* readColumns(
  connection: DuckDBConnection,
  sql: string
): AsyncGenerator<ColumnChunk> {
  yield* chunksOf(sql, await guarded(sql, () => connection.run(sql)))
}

async function* chunksOf(sql: string, result: DuckDBResult): AsyncGenerator<ColumnChunk> {
  const names = result.columnNames()
  const readers = names.map((_, index) =>
    String(result.columnType(index)) === 'DOUBLE' ? readDoubles : readTexts
  )
  for (;;) {
    const chunk = await guarded(sql, () => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) return
    const columns = names.map((name, index) => [name, readers[index]!(chunk, index)] as const)
    yield { rows: chunk.rowCount, columns: Object.fromEntries(columns) }
  }
}

const readTexts = (chunk: DuckDBDataChunk, index: number): readonly (string | null)[] =>
  chunk.getColumnValues(index).map((value) => (value === null ? null : String(value)))

const readDoubles = (chunk: DuckDBDataChunk, index: number): Float64Array => {
  const values = new Float64Array(chunk.rowCount)
  copyDoubles(chunk, index, values)
  return values
}

/** Copied as they lie: asking the binding for one value after the other takes ten times as long. */
const copyDoubles = (
  { chunk, rowCount }: DuckDBDataChunk,
  index: number,
  into: Float64Array
): void => {
  const vector = duckdb.data_chunk_get_vector(chunk, index)
  const bytes = duckdb.vector_get_data(vector, rowCount * Float64Array.BYTES_PER_ELEMENT)
  into.set(new Float64Array(bytes.buffer, bytes.byteOffset, rowCount))
  // One bit a row in words of eight bytes; nothing where every row has a value.
  const valid = duckdb.vector_get_validity(
    vector,
    Math.ceil(rowCount / 64) * 8
  ) as Uint8Array | null
  if (valid === null) return
  for (let row = 0; row < rowCount; row += 1) {
    if ((valid[row >> 3]! & (1 << (row & 7))) === 0) into[row] = Number.NaN
  }
}

/**
 * Fills arrays, one for each column of a result that is all DOUBLE, row after row; null becomes NaN.
 * @throws Failure E_SQL when the result has more rows than the arrays hold.
 */
export const fillDoubles = async (
  connection: DuckDBConnection,
  sql: string,
  into: readonly Float64Array[]
): Promise<void> => {
  const result = await guarded(sql, () => connection.run(sql))
  let from = 0
  for (;;) {
    const chunk = await guarded(sql, () => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) return
    const to = from + chunk.rowCount
    if (to > (into[0]?.length ?? 0))
      throw new Failure('E_SQL', `more rows than ${into[0]?.length}: ${sql}`)
    into.forEach((column, index) => copyDoubles(chunk, index, column.subarray(from, to)))
    from = to
  }
}

/** Reads a whole result; texts stay where the database put them until they are asked for. */
export const readWhole = async (
  connection: DuckDBConnection,
  sql: string,
  memory: ColumnMemory = new Map()
): Promise<WholeColumns> => {
  const result = await guarded(sql, () => connection.run(sql))
  const chunks: Chunk[] = []
  let rows = 0
  for (;;) {
    const chunk = await guarded(sql, () => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) break
    chunks.push({ chunk, from: rows })
    rows += chunk.rowCount
  }
  const numbers: Record<string, Float64Array> = {}
  const texts: Record<string, Texts> = {}
  for (const [index, name] of result.columnNames().entries()) {
    if (String(result.columnType(index)) !== 'DOUBLE') texts[name] = textsOf(chunks, index)
    else numbers[name] = fill(chunks, index, roomFor(memory, name, rows))
  }
  return { rows, numbers, texts }
}

type Chunk = { chunk: DuckDBDataChunk; from: number }

/** A little more than is needed, since the next minute may have more rows. */
const SLACK = 1.25

const roomFor = (memory: ColumnMemory, name: string, rows: number): Float64Array => {
  const known = memory.get(name)
  if (known !== undefined && known.length >= rows) return known.subarray(0, rows)
  const larger = new Float64Array(Math.ceil(rows * SLACK))
  memory.set(name, larger)
  return larger.subarray(0, rows)
}

const fill = (chunks: readonly Chunk[], index: number, values: Float64Array): Float64Array => {
  for (const { chunk, from } of chunks) {
    copyDoubles(chunk, index, values.subarray(from, from + chunk.rowCount))
  }
  return values
}

/** Rows are asked for one after the other, so the chunk of the last one is looked at first. */
const textsOf = (chunks: readonly Chunk[], index: number): Texts => {
  let current = 0
  let vector = chunks[0]?.chunk.getColumnVector(index)
  return {
    at: (row) => {
      while (row < (chunks[current]?.from ?? 0))
        vector = chunks[--current]!.chunk.getColumnVector(index)
      while (row >= (chunks[current + 1]?.from ?? Infinity))
        vector = chunks[++current]!.chunk.getColumnVector(index)
      const value = vector?.getItem(row - chunks[current]!.from) ?? null
      return value === null ? null : String(value)
    }
  }
}

const appendLines = async (
  connection: DuckDBConnection,
  table: string,
  lines: readonly string[]
): Promise<void> => {
  const appender = await connection.createAppender(table)
  for (const line of lines) {
    appender.appendVarchar(line)
    appender.endRow()
  }
  appender.closeSync()
}
