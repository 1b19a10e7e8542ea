import type { DuckDBConnection, DuckDBResult, DuckDBResultReader } from '@duckdb/node-api'
import duckdb, { type Connection, type Database, type LogicalType } from '@duckdb/node-bindings'
import { Failure } from '../../schemas/failure.ts'
import { writeChunks } from './append.ts'
import { api } from './duckdb.ts'
import { HeldColumns } from './held-columns.ts'
import { readLists, type ListChunk } from './list-columns.ts'
import type { ColumnData, NamedSegments } from './columns.ts'
import {
  fillDoubles,
  readColumns,
  readWhole,
  type ColumnChunk,
  type ColumnMemory,
  type WholeColumns
} from './memory.ts'
import { copyRows } from './wide-copy.ts'

export type EngineSettings = {
  threads?: number
  /** Bounds DuckDB's buffer manager. */
  memoryMaxMib?: number
  /** Where a query may spill; without it, it fails when memory is short. */
  spillFolder?: string | null
}

/** A value as it comes out of a query: BIGINT as bigint, times as ISO strings, lists and maps as JSON. */
export type Row = Record<string, unknown>

/**
 * DuckDB in memory, with every setting that could change a result or a file's bytes fixed. Calls
 * run one after the other. Heavy calls block the thread: give an engine a worker of its own.
 */
export class Engine {
  readonly #database: Database
  readonly #handle: Connection
  readonly #connection: DuckDBConnection
  readonly #threads: number
  #held: HeldColumns | null = null

  private constructor(database: Database, handle: Connection, threads: number) {
    this.#threads = threads
    this.#database = database
    this.#handle = handle
    this.#connection = new api.DuckDBConnection(handle)
  }

  static async open(settings: EngineSettings = {}): Promise<Engine> {
    const { threads = 1, memoryMaxMib = 512, spillFolder = null } = settings
    const configuration = duckdb.create_config()
    for (const [name, value] of Object.entries({
      threads: String(threads),
      memory_limit: `${memoryMaxMib}MiB`,
      temp_directory: spillFolder ?? '',
      preserve_insertion_order: 'true',
      // Files are of this machine, and its page cache has them once: here each one ever read would be
      // kept as well, until the limit is reached.
      enable_external_file_cache: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false'
    })) {
      duckdb.set_config(configuration, name, value)
    }
    const database = await duckdb.open(':memory:', configuration)
    const engine = new Engine(database, await duckdb.connect(database), threads)
    await engine.run("SET TimeZone = 'UTC'")
    await engine.#checkStringLayout()
    return engine
  }

  /** Version of DuckDB, a part of the generation since it decides the bytes of a file. */
  static get version(): string {
    return duckdb.library_version()
  }

  /** Runs one or several statements; the result of the last is dropped. @throws Failure E_SQL */
  async run(sql: string): Promise<void> {
    await this.#query(sql)
  }

  /** See `copyRows`. @throws Failure E_SQL */
  copy(sql: string): Promise<void> {
    return copyRows((one) => this.run(one), this.#threads, sql)
  }

  /** Rows as objects. For small results: the hot paths read columns or write files. */
  async rows(sql: string): Promise<Row[]> {
    const result = await this.#query(sql)
    return (await result.getRowObjectsJS()) as Row[]
  }

  /**
   * Rows with values that JSON can hold, and the columns with their types. Integers beyond 2^53
   * are strings, so that no digit is lost; times are RFC 3339 with all their microseconds.
   */
  async table(sql: string): Promise<{ columns: { name: string; type: string }[]; rows: Row[] }> {
    const reader = await this.#read(sql)
    const names = reader.deduplicatedColumnNames()
    const columns = names.map((name, index) => ({ name, type: String(reader.columnType(index)) }))
    const rows = reader.getRowObjectsJson() as Row[]
    const exact = reader.getRowObjectsJS() as Row[]
    for (const { name, type } of columns) {
      const convert = type.endsWith('INT') ? exactNumber : type === ZONED ? rfc3339 : null
      const source = convert === exactNumber ? exact : rows
      if (convert !== null)
        rows.forEach((row, index) => (row[name] = convert(source[index]![name])))
    }
    return { columns, rows }
  }

  /** A result whose columns are all DOUBLE or VARCHAR, by columns. */
  columns(sql: string): AsyncIterable<ColumnChunk> {
    return readColumns(this.#connection, sql)
  }

  /** See `readLists`: a stream, so no other statement may run before its end. */
  lists(sql: string): AsyncIterable<ListChunk> {
    return readLists(this.#connection, sql)
  }

  /** The same as a whole: texts are decoded when they are asked for. */
  whole(sql: string, memory?: ColumnMemory): Promise<WholeColumns> {
    return readWhole(this.#connection, sql, memory)
  }

  /** A result whose columns are all DOUBLE, into arrays that hold its rows; null becomes NaN. */
  doubles(sql: string, into: readonly Float64Array[]): Promise<void> {
    return fillDoubles(this.#connection, sql, into)
  }

  /**
   * Creates table `name` anew and fills it from column memory. Enumerations become ENUM columns,
   * which group and write to Parquet by their codes.
   */
  async load(name: string, { names, segments }: NamedSegments): Promise<number> {
    const first = segments[0]
    if (first === undefined) throw new Failure('E_INTERNAL', `no segments to load into ${name}`)
    const columns = first.columns.map((column, index) => `"${names[index]}" ${sqlType(column)}`)
    await this.run(`CREATE OR REPLACE TEMP TABLE "${name}" (${columns.join(', ')})`)
    const types = await this.#logicalTypes(name)
    const appender = duckdb.appender_create_ext(this.#handle, 'temp', 'main', name)
    writeChunks(types, segments, (chunk) => duckdb.append_data_chunk(appender, chunk))
    duckdb.appender_close_sync(appender)
    return segments.reduce((rows, segment) => rows + segment.rows, 0)
  }

  /**
   * Lets statements read column memory where it lies, as the view `name` with a `row_key` more. It
   * holds until the next call, and one view at a time. Enumerations are ENUM columns.
   */
  async hold(name: string, columns: NamedSegments): Promise<void> {
    this.#held ??= new HeldColumns(this.#handle)
    await this.run(`CREATE OR REPLACE TEMP VIEW "${name}" AS FROM ${this.#held.hold(columns)}`)
  }

  /** Ends the statement that runs, which fails then. */
  interrupt(): void {
    this.#connection.interrupt()
  }

  close(): void {
    this.#connection.closeSync()
    duckdb.close_sync(this.#database)
  }

  /** The table's own types: chunks made of them are taken without a comparison of enumerations. */
  async #logicalTypes(name: string): Promise<LogicalType[]> {
    const prepared = await duckdb.prepare(this.#handle, `SELECT * FROM temp.main."${name}"`)
    const count = duckdb.prepared_statement_column_count(prepared)
    return Array.from({ length: count }, (_, index) =>
      duckdb.prepared_statement_column_logical_type(prepared, index)
    )
  }

  /** Proves that strings written by their memory layout come back as they went in. */
  async #checkStringLayout(): Promise<void> {
    const words = ['', 'twelve bytes', 'thirteen byte', 'größer als zwölf Bytes']
    const heap = Buffer.from(words.join(''))
    const ends = Int32Array.from(words, (_, index) =>
      Buffer.byteLength(words.slice(0, index + 1).join(''))
    )
    const starts = Int32Array.from(ends, (_, index) => ends[index - 1] ?? 0)
    const text: ColumnData = { type: 'VARCHAR', text: { heap, starts, ends }, valid: null }
    await this.load('layout', {
      names: ['word'],
      segments: [{ rows: words.length, columns: [text] }]
    })
    const seen = (await this.rows('FROM temp.layout')).map((row) => row['word'])
    await this.run('DROP TABLE temp.layout')
    if (seen.join('|') !== words.join('|')) {
      throw new Failure('E_INTERNAL', `DuckDB ${Engine.version} keeps strings in another layout`)
    }
  }

  async #read(sql: string): Promise<DuckDBResultReader> {
    try {
      return await this.#connection.runAndReadAll(sql)
    } catch (cause) {
      throw sqlFailure(cause, sql)
    }
  }

  async #query(sql: string): Promise<DuckDBResult> {
    try {
      return await this.#connection.run(sql)
    } catch (cause) {
      throw sqlFailure(cause, sql)
    }
  }
}

const ZONED = 'TIMESTAMP WITH TIME ZONE'

const exactNumber = (value: unknown): unknown => {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

const rfc3339 = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z') : value

const sqlFailure = (cause: unknown, sql: string): Failure => {
  const message = cause instanceof Error ? cause.message : String(cause)
  const full = /No space left|not enough space/i.test(message)
  return new Failure(full ? 'E_DISK_FULL' : 'E_SQL', message, {
    hint: full ? "Free space on the lake's device; work goes on by itself." : sql.slice(0, 400),
    retriable: full,
    cause
  })
}

const sqlType = (column: ColumnData): string => {
  if (column.type !== 'ENUM') return column.type
  const { values } = column.dictionary
  if (values.length === 0) return 'VARCHAR'
  return `ENUM(${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')})`
}
