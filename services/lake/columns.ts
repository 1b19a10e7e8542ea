/**
 * Columns as they wait in memory before DuckDB takes them: typed arrays, dictionary codes and
 * byte heaps, never an object per row. `valid` is a bitmap, least significant bit first; null
 * means that every row has a value.
 */

export type Validity = Uint8Array<ArrayBuffer> | null

/** Strings by their bytes: row `i` is `heap[starts[i], ends[i])`. */
export type TextHeap = { heap: Uint8Array; starts: Int32Array; ends: Int32Array }

export type ColumnData =
  | { type: 'INTEGER'; values: Int32Array<ArrayBuffer>; valid: Validity }
  | { type: 'DOUBLE'; values: Float64Array<ArrayBuffer>; valid: Validity }
  | { type: 'BOOLEAN'; values: Uint8Array<ArrayBuffer>; valid: Validity }
  /** Low and high 32-bit halves, little-endian: row `i` at `[2i, 2i + 1]`. */
  | { type: 'BIGINT' | 'TIMESTAMP'; values: Int32Array<ArrayBuffer>; valid: Validity }
  | { type: 'ENUM'; codes: Int32Array; dictionary: EnumValues; valid: Validity }
  | { type: 'VARCHAR' | 'BLOB'; text: TextHeap; valid: Validity }
  /** Row `i` holds the items `firsts[i]` to `firsts[i] + lengths[i]`. */
  | { type: 'VARCHAR[]'; firsts: Int32Array; lengths: Int32Array; items: TextHeap; valid: Validity }
  | {
      type: 'DOUBLE[]'
      firsts: Int32Array
      lengths: Int32Array
      items: Float64Array<ArrayBuffer>
      valid: Validity
    }

/** Values of an enumeration in byte order, and the rank of each code among them. */
export type EnumValues = { values: readonly string[]; rank: Int32Array }

/** Rows of one stretch, all with the same columns in the same order. */
export type Segment = { rows: number; columns: readonly ColumnData[] }

export type NamedSegments = { names: readonly string[]; segments: readonly Segment[] }
