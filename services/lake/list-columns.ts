import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
import { guarded } from './memory.ts'

/**
 * Lists of a column as they lie: those of a row are `values[starts[row]]` and the `lengths[row] − 1`
 * behind it. A null has length 0.
 */
export type Lists = { starts: Uint32Array; lengths: Uint32Array; values: Float64Array | Int16Array }

/**
 * A chunk of a result: its first column, which is DOUBLE, and the lists of the others. The lists' values
 * are the database's own: they hold for as long as `owner` is referred to.
 */
export type ListChunk = {
  rows: number
  keys: Float64Array
  lists: readonly Lists[]
  owner: unknown
}

const ARRAYS = { 'DOUBLE[]': Float64Array, 'SMALLINT[]': Int16Array } as const

/**
 * Streams a result whose first column is DOUBLE without null and whose others are DOUBLE[] or
 * SMALLINT[] without nulls inside. One value after the other, the binding takes forty times as long.
 * @throws Failure E_SQL
 */
export async function* readLists(
  connection: DuckDBConnection,
  sql: string
): AsyncGenerator<ListChunk> {
  const result = await guarded(sql, () => connection.stream(sql))
  const types = result.columnTypes().map(String)
  for (;;) {
    const chunk = await guarded(sql, () => result.fetchChunk())
    if (chunk === null || chunk.rowCount === 0) return
    const rows = chunk.rowCount
    const keys = new Float64Array(rows)
    keys.set(arrayOf(Float64Array, duckdb.data_chunk_get_vector(chunk.chunk, 0), rows))
    const lists = types
      .slice(1)
      .map((type, index) => listsOf(chunk, index + 1, ARRAYS[type as keyof typeof ARRAYS]))
    yield { rows, keys, lists, owner: chunk }
  }
}

type ArrayKind = Float64ArrayConstructor | Int16ArrayConstructor
type Vector = ReturnType<typeof duckdb.data_chunk_get_vector>

const arrayOf = <Kind extends ArrayKind>(
  kind: Kind,
  vector: Vector,
  length: number
): InstanceType<Kind> => {
  const bytes = duckdb.vector_get_data(vector, length * kind.BYTES_PER_ELEMENT)
  return new kind(bytes.buffer as ArrayBuffer, bytes.byteOffset, length) as InstanceType<Kind>
}

/** Where the lists of a row lie: two words of eight bytes, of which the lower halves are enough. */
const WORDS_A_ROW = 4

const listsOf = ({ chunk, rowCount }: DuckDBDataChunk, index: number, kind: ArrayKind): Lists => {
  const vector = duckdb.data_chunk_get_vector(chunk, index)
  const bytes = duckdb.vector_get_data(vector, rowCount * WORDS_A_ROW * 4)
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, rowCount * WORDS_A_ROW)
  const isValid = validityOf(vector, rowCount)
  const [starts, lengths] = [new Uint32Array(rowCount), new Uint32Array(rowCount)]
  for (let row = 0; row < rowCount; row++) {
    if (!isValid(row)) continue
    starts[row] = words[row * WORDS_A_ROW]!
    lengths[row] = words[row * WORDS_A_ROW + 2]!
  }
  const child = duckdb.list_vector_get_child(vector)
  return { starts, lengths, values: arrayOf(kind, child, duckdb.list_vector_get_size(vector)) }
}

/** One bit a row in words of eight bytes; nothing where every row has a value. */
const validityOf = (vector: Vector, rows: number): ((row: number) => boolean) => {
  const valid = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null
  return (row) => valid === null || (valid[row >> 3]! & (1 << (row & 7))) !== 0
}
