import duckdb, {
  type Connection,
  type DataChunk,
  type LogicalType,
  type TableFunctionInfo,
  type TableFunctionInitInfo
} from '@duckdb/node-bindings'
import { Failure } from '../../schemas/failure.ts'
import { CHUNK_ROWS, writeColumn } from './append.ts'
import type { ColumnData, NamedSegments, Segment } from './columns.ts'

/** Name of a column that numbers the rows, behind the given ones. */
const ROW_KEY = 'row_key'
const FUNCTION = 'held_columns'

type Held = { names: readonly string[]; segments: readonly Segment[]; types: LogicalType[] }

/** Where a statement stands in the rows, and which columns it asked for. */
type Scan = { columns: number[]; segment: number; row: number; key: number }

/**
 * Column memory that statements read where it lies, through a table function: nothing is copied into
 * a table before, and no statistics are taken that nobody asks. Statements run on another thread and
 * call back, so the one that holds the columns must wait for them, and must not change what it holds.
 */
export class HeldColumns {
  #held: Held = { names: [], segments: [], types: [] }

  /** Makes the function known to a connection. */
  constructor(connection: Connection) {
    const table = duckdb.create_table_function()
    duckdb.table_function_set_name(table, FUNCTION)
    duckdb.table_function_supports_projection_pushdown(table, true)
    duckdb.table_function_set_bind(table, (info) => {
      const { names, segments, types } = this.#held
      names.forEach((name, index) => duckdb.bind_add_result_column(info, name, types[index]!))
      duckdb.bind_add_result_column(info, ROW_KEY, duckdb.create_logical_type(duckdb.Type.BIGINT))
      duckdb.bind_set_cardinality(info, rowsOf(segments), true)
    })
    duckdb.table_function_set_init(table, begin)
    duckdb.table_function_set_function(table, (info, output) => this.#fill(info, output))
    duckdb.register_table_function(connection, table)
  }

  /** Holds columns until others are. @returns what a statement reads them from, and `row_key`. */
  hold({ names, segments }: NamedSegments): string {
    const [first] = segments
    if (first === undefined) throw new Failure('E_INTERNAL', 'no segments to hold')
    for (const { columns } of segments) checkAlike(names, first.columns, columns)
    this.#held = { names, segments, types: first.columns.map(typeOf) }
    return `${FUNCTION}()`
  }

  #fill(info: TableFunctionInfo, output: DataChunk): void {
    try {
      const scan = duckdb.function_get_init_data(info) as Scan
      duckdb.data_chunk_set_size(output, writeNext(this.#held.segments, scan, output))
    } catch (error) {
      duckdb.function_set_error(info, String(error))
    }
  }
}

/** A column of another type would be written beyond its vector's memory. */
const checkAlike = (
  names: readonly string[],
  first: readonly ColumnData[],
  columns: readonly ColumnData[]
): void => {
  const isAlike = names.length === columns.length && names.length === first.length
  if (isAlike && columns.every(({ type }, index) => type === first[index]!.type)) return
  const types = columns.map(({ type }) => type).join(', ')
  throw new Failure('E_INTERNAL', `a segment of ${names.length} columns has ${types}`)
}

const rowsOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { rows }) => sum + rows, 0)

/** One thread, so that rows keep their order. */
const begin = (info: TableFunctionInitInfo): void => {
  const count = duckdb.init_get_column_count(info)
  const columns = Array.from({ length: count }, (_, at) => duckdb.init_get_column_index(info, at))
  duckdb.init_set_max_threads(info, 1)
  duckdb.init_set_init_data(info, { columns, segment: 0, row: 0, key: 0 } satisfies Scan)
}

/** Writes the next rows of a scan. @returns how many; 0 at the end. */
const writeNext = (segments: readonly Segment[], scan: Scan, output: DataChunk): number => {
  while (scan.segment < segments.length && scan.row >= segments[scan.segment]!.rows) {
    scan.segment++
    scan.row = 0
  }
  const segment = segments[scan.segment]
  if (segment === undefined) return 0
  const count = Math.min(CHUNK_ROWS, segment.rows - scan.row)
  scan.columns.forEach((index, at) => {
    const vector = duckdb.data_chunk_get_vector(output, at)
    const isKey = index === segment.columns.length
    if (isKey) writeColumn(vector, keysFrom(scan.key), 0, count)
    else writeColumn(vector, segment.columns[index]!, scan.row, count)
  })
  scan.row += count
  scan.key += count
  return count
}

const keysFrom = (first: number): ColumnData => {
  const values = new Int32Array(CHUNK_ROWS * 2)
  for (let row = 0; row < CHUNK_ROWS; row++) values[row * 2] = first + row
  return { type: 'BIGINT', values, valid: null }
}

const typeOf = (column: ColumnData): LogicalType => {
  const { Type } = duckdb
  switch (column.type) {
    case 'ENUM': {
      const { values } = column.dictionary
      return values.length === 0
        ? duckdb.create_logical_type(Type.VARCHAR)
        : duckdb.create_enum_type(values)
    }
    case 'VARCHAR[]':
      return duckdb.create_list_type(duckdb.create_logical_type(Type.VARCHAR))
    case 'DOUBLE[]':
      return duckdb.create_list_type(duckdb.create_logical_type(Type.DOUBLE))
    default:
      return duckdb.create_logical_type(Type[column.type])
  }
}
