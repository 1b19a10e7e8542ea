import duckdb, { type DataChunk, type LogicalType, type Vector } from '@duckdb/node-bindings'
import type { ColumnData, Segment, TextHeap, Validity } from './columns.ts'

/**
 * Copies column memory into DuckDB chunks. Setting values one by one through the binding is 13
 * times slower, and one call a string is the largest part of the rest, so strings go in as one
 * block a chunk: DuckDB copies the block into the vector's own heap, and the 16-byte `string_t`
 * of each row is then written to point into it. That layout (length, 4-byte prefix, pointer; up
 * to 12 bytes inline) is part of DuckDB's C API. `checkStringLayout` proves it at start-up.
 */

/** Rows of a DuckDB vector. */
export const CHUNK_ROWS = duckdb.vector_size()
const STRING_BYTES = 16
/** Strings up to this length live inside their `string_t`. */
const INLINE_BYTES_MAX = 12

export type ChunkSink = (chunk: DataChunk) => void

/** Feeds every row of the segments to `sink`, a chunk at a time, in order. */
export const writeChunks = (
  types: readonly LogicalType[],
  segments: readonly Segment[],
  sink: ChunkSink
): void => {
  const chunk = duckdb.create_data_chunk([...types])
  for (const { rows, columns } of segments) {
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from)
      duckdb.data_chunk_reset(chunk)
      columns.forEach((column, index) => {
        writeColumn(duckdb.data_chunk_get_vector(chunk, index), column, from, count)
      })
      duckdb.data_chunk_set_size(chunk, count)
      sink(chunk)
    }
  }
}

/** Writes `count` rows of a column, from row `from` on: a multiple of `CHUNK_ROWS`. */
export const writeColumn = (
  vector: Vector,
  column: ColumnData,
  from: number,
  count: number
): void => {
  switch (column.type) {
    case 'INTEGER':
      copy(vector, column.values, from, count)
      break
    case 'DOUBLE':
      copy(vector, column.values, from, count)
      break
    case 'BOOLEAN':
      copy(vector, column.values, from, count)
      break
    case 'BIGINT':
    case 'TIMESTAMP':
      copy(vector, column.values, from * 2, count * 2)
      break
    case 'ENUM':
      writeEnum(vector, column, from, count)
      break
    case 'VARCHAR':
    case 'BLOB':
      writeTexts(vector, column.text, from, count)
      break
    case 'VARCHAR[]':
    case 'DOUBLE[]':
      writeLists(vector, column, from, count)
      break
  }
  writeValidity(vector, column.valid, from, count)
}

type Memory =
  | Int32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>

const copy = (vector: Vector, values: Memory, from: number, count: number): void => {
  const width = values.BYTES_PER_ELEMENT
  duckdb.copy_data_to_vector(
    vector,
    0,
    values.buffer,
    values.byteOffset + from * width,
    count * width
  )
}

const writeValidity = (vector: Vector, valid: Validity, from: number, count: number): void => {
  if (valid === null) return
  duckdb.vector_ensure_validity_writable(vector)
  // `from` is a multiple of the chunk's rows and so of 64: the bitmap is copied as it lies.
  const bytes = Math.ceil(count / 64) * 8
  duckdb.copy_data_to_vector_validity(
    vector,
    0,
    valid.buffer,
    valid.byteOffset + from / 8,
    Math.min(bytes, valid.byteLength - from / 8)
  )
}

type EnumColumn = Extract<ColumnData, { type: 'ENUM' }>
const enumBytes = new Uint8Array(CHUNK_ROWS)
const enumShorts = new Uint16Array(CHUNK_ROWS)

/** DuckDB stores an enumeration in one byte up to 255 values, in two up to 65,535. */
const writeEnum = (vector: Vector, column: EnumColumn, from: number, count: number): void => {
  const { codes, dictionary } = column
  const ranks = dictionary.values.length <= 255 ? enumBytes : enumShorts
  const { rank } = dictionary
  for (let row = 0; row < count; row++) ranks[row] = rank[codes[from + row]!]!
  copy(vector, ranks, 0, count)
}

const stringBuffer = new Uint8Array(CHUNK_ROWS * STRING_BYTES)
const stringWords = new Uint32Array(stringBuffer.buffer)

const writeTexts = (vector: Vector, text: TextHeap, from: number, count: number): void => {
  if (count === 0) return
  const { heap, starts, ends } = text
  let low = starts[from]!
  let high = low
  for (let row = from; row < from + count; row++) {
    if (starts[row]! < low) low = starts[row]!
    if (ends[row]! > high) high = ends[row]!
  }
  const base = high - low > INLINE_BYTES_MAX ? placeBlock(vector, heap.subarray(low, high)) : null
  const words = count * 4 <= stringWords.length ? stringWords : new Uint32Array(count * 4)
  const bytes = new Uint8Array(words.buffer)
  for (let row = 0; row < count; row++) {
    const start = starts[from + row]!
    const end = ends[from + row]!
    const length = end - start
    const word = row * 4
    words[word] = length
    words[word + 1] = 0
    const copied = length <= INLINE_BYTES_MAX ? length : 4
    if (length <= INLINE_BYTES_MAX) words[word + 2] = words[word + 3] = 0
    for (let index = 0; index < copied; index++) bytes[word * 4 + 4 + index] = heap[start + index]!
    if (length > INLINE_BYTES_MAX) writePointer(words, word + 2, base!, start - low)
  }
  duckdb.copy_data_to_vector(vector, 0, words.buffer, 0, count * STRING_BYTES)
}

type Address = { low: number; high: number }

/** Puts one block of bytes into the vector's heap and says where it lies. */
const placeBlock = (vector: Vector, block: Uint8Array): Address => {
  duckdb.vector_assign_string_element_len(vector, 0, block)
  const first = duckdb.vector_get_data(vector, STRING_BYTES)
  const view = new DataView(first.buffer, first.byteOffset, STRING_BYTES)
  return { low: view.getUint32(8, true), high: view.getUint32(12, true) }
}

const writePointer = (words: Uint32Array, at: number, base: Address, offset: number): void => {
  const low = base.low + offset
  words[at] = low
  words[at + 1] = low > 0xffffffff ? base.high + 1 : base.high
}

type ListColumn = Extract<ColumnData, { type: 'VARCHAR[]' | 'DOUBLE[]' }>

/** Items of neighbouring rows lie side by side, so a chunk's items are one stretch. */
const writeLists = (vector: Vector, column: ListColumn, from: number, count: number): void => {
  const { firsts, lengths } = column
  const entries = new Uint32Array(count * 4)
  const low = count === 0 ? 0 : firsts[from]!
  let high = low
  for (let row = 0; row < count; row++) {
    const length = lengths[from + row]!
    entries[row * 4] = firsts[from + row]! - low
    entries[row * 4 + 2] = length
    high = Math.max(high, firsts[from + row]! + length)
  }
  duckdb.list_vector_reserve(vector, high - low)
  duckdb.list_vector_set_size(vector, high - low)
  const child = duckdb.list_vector_get_child(vector)
  if (column.type === 'DOUBLE[]') copy(child, column.items, low, high - low)
  else writeTexts(child, column.items, low, high - low)
  duckdb.copy_data_to_vector(vector, 0, entries.buffer, 0, count * STRING_BYTES)
}
