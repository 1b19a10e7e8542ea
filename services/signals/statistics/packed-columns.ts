/**
 * Numbers of many records as few bytes, and back bit by bit: blocks of records, in each block column
 * by column, each column in the fewest bytes that hold all its values. Most of what is remembered
 * are counts and times, which differ little from record to record; many columns are all zero.
 */

/** Records of a block: their columns stay in the processor's cache while they are looked at. */
const BLOCK_RECORDS = 1024
/** Times are full minutes. */
const MINUTE_MS = 60_000
/** Integers beyond this that are full minutes are kept as minutes. */
const TIMES_FROM = 2 ** 31

/** Bytes of a value: whole numbers above the column's smallest, or the value as it is. */
const RAW = 9
const COLUMN_BYTES = 10

type Numbers = Float64Array | Float32Array | Int8Array

export type Strided = { values: Numbers; stride: number }

export const packColumns = ({ values, stride }: Strided): Uint8Array => {
  const records = stride === 0 ? 0 : values.length / stride
  const blocks = Math.ceil(records / BLOCK_RECORDS)
  const worst = blocks * stride * COLUMN_BYTES + values.byteLength
  const writer = new DataView(new ArrayBuffer(worst))
  let at = 0
  for (let from = 0; from < records; from += BLOCK_RECORDS) {
    const to = Math.min(records, from + BLOCK_RECORDS)
    for (let column = 0; column < stride; column++) {
      at = packColumn(writer, at, {
        values,
        stride,
        first: from * stride + column,
        end: to * stride
      })
    }
  }
  return new Uint8Array(writer.buffer, 0, at)
}

type Column = Strided & { first: number; end: number }

const packColumn = (writer: DataView, at: number, column: Column): number => {
  const { width, low, unit } = shapeOf(column)
  writer.setUint8(at, width)
  writer.setUint8(at + 1, unit === 1 ? 0 : 1)
  writer.setFloat64(at + 2, low, true)
  const start = at + COLUMN_BYTES
  if (width === 0) return start
  return width === RAW
    ? writeRaw(writer, start, column)
    : writeWhole(writer, start, { ...column, width, low, unit })
}

type Shape = { width: number; low: number; unit: number }

const AS_IT_IS: Shape = { width: RAW, low: 0, unit: 1 }

const shapeOf = (column: Column): Shape => {
  const whole = rangeOfWhole(column)
  if (whole === null) return AS_IT_IS
  const { low, high } = whole
  const unit = high > TIMES_FROM && areMinutes(column) ? MINUTE_MS : 1
  const width = widthOf((high - low) / unit)
  const isLess = width === 0 || width < column.values.BYTES_PER_ELEMENT
  return isLess ? { width, low, unit } : AS_IT_IS
}

/** Bytes of whole numbers from 0 to `high`. */
const widthOf = (high: number): number => {
  if (high === 0) return 0
  if (high < 2 ** 8) return 1
  if (high < 2 ** 16) return 2
  return high < 2 ** 32 ? 4 : RAW
}

/** Null when not all are whole numbers, or they are too far apart for one to be told exactly. */
const rangeOfWhole = ({ values, stride, first, end }: Column) => {
  let [low, high] = [values[first]!, values[first]!]
  for (let i = first; i < end; i += stride) {
    const value = values[i]!
    // Not a number is not whole either; the sign of −0 says nothing.
    if (value !== Math.floor(value)) return null
    if (value < low) low = value
    else if (value > high) high = value
  }
  return Number.isSafeInteger(high - low) ? { low, high } : null
}

const areMinutes = ({ values, stride, first, end }: Column): boolean => {
  for (let i = first; i < end; i += stride) {
    const minutes = values[i]! / MINUTE_MS
    if (minutes !== Math.floor(minutes)) return false
  }
  return true
}

const writeRaw = (
  writer: DataView,
  start: number,
  { values, stride, first, end }: Column
): number => {
  const bytes = values.BYTES_PER_ELEMENT
  let at = start
  for (let i = first; i < end; i += stride, at += bytes) {
    if (bytes === 8) writer.setFloat64(at, values[i]!, true)
    else if (bytes === 4) writer.setFloat32(at, values[i]!, true)
    else writer.setInt8(at, values[i]!)
  }
  return at
}

const writeWhole = (
  writer: DataView,
  start: number,
  { values, stride, first, end, width, low, unit }: Column & Shape
): number => {
  let at = start
  for (let i = first; i < end; i += stride, at += width) {
    const above = (values[i]! - low) / unit
    if (width === 1) writer.setUint8(at, above)
    else if (width === 2) writer.setUint16(at, above, true)
    else writer.setUint32(at, above, true)
  }
  return at
}

/** Fills `values` with what was packed of arrays of the same length and stride. */
export const unpackColumns = (packed: Uint8Array, { values, stride }: Strided): void => {
  const reader = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const records = stride === 0 ? 0 : values.length / stride
  let at = 0
  for (let from = 0; from < records; from += BLOCK_RECORDS) {
    const end = Math.min(records, from + BLOCK_RECORDS) * stride
    for (let column = 0; column < stride; column++) {
      at = unpackColumn(reader, at, { values, stride, first: from * stride + column, end })
    }
  }
}

const unpackColumn = (
  reader: DataView,
  start: number,
  { values, stride, first, end }: Column
): number => {
  const width = reader.getUint8(start)
  const unit = reader.getUint8(start + 1) === 0 ? 1 : MINUTE_MS
  const low = reader.getFloat64(start + 2, true)
  const bytes = width === RAW ? values.BYTES_PER_ELEMENT : width
  const read = readerOf(reader, width === RAW ? -bytes : width)
  let at = start + COLUMN_BYTES
  for (let i = first; i < end; i += stride, at += bytes) values[i] = low + read(at) * unit
  return at
}

/** Reads whole numbers of some bytes; raw values where `bytes` is negative. */
const readerOf = (reader: DataView, bytes: number): ((at: number) => number) => {
  switch (bytes) {
    case 0:
      return () => 0
    case 1:
      return (at) => reader.getUint8(at)
    case 2:
      return (at) => reader.getUint16(at, true)
    case 4:
      return (at) => reader.getUint32(at, true)
    case -1:
      return (at) => reader.getInt8(at)
    case -4:
      return (at) => reader.getFloat32(at, true)
    default:
      return (at) => reader.getFloat64(at, true)
  }
}
