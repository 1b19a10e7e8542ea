import { packColumns, unpackColumns, type Strided } from './packed-columns.ts'
import { addRecord, createRecords, type Records, type RecordShape } from './records.ts'

/**
 * A state as bytes: a JSON header of what is irregular, and arrays; those of records are packed.
 * Little-endian, as every machine that runs Node; a version in the signal's header guards meaning.
 */

type Packable = Float64Array | Float32Array | Int8Array | Uint8Array | Uint32Array

const kinds = {
  f64: Float64Array,
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  u32: Uint32Array
} as const
type Kind = keyof typeof kinds

const kindOf = (array: Packable): Kind =>
  (Object.keys(kinds) as Kind[]).find((kind) => array instanceof kinds[kind])!

/** Length of the header's own length, in bytes. */
const LENGTH_BYTES = 4

export const pack = (header: unknown, arrays: readonly Packable[]): Uint8Array => {
  const shapes = arrays.map((array) => [kindOf(array), array.length])
  const head = Buffer.from(JSON.stringify({ header, shapes }), 'utf8')
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(head.length)
  const parts = arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength))
  return Buffer.concat([length, head, ...parts])
}

export const unpack = (bytes: Uint8Array): { header: unknown; arrays: Packable[] } => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = LENGTH_BYTES + buffer.readUInt32LE(0)
  const { header, shapes } = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, end)) as {
    header: unknown
    shapes: [Kind, number][]
  }
  let at = end
  const arrays = shapes.map(([kind, length]) => {
    const array = new kinds[kind](length)
    new Uint8Array(array.buffer).set(buffer.subarray(at, at + array.byteLength))
    at += array.byteLength
    return array
  })
  return { header, arrays }
}

/** The used part of the records' arrays, packed, in the order that `recordsFrom` takes them. */
export const recordArrays = (records: Records): Packable[] =>
  stridesOf(records).map(({ values, stride }) =>
    packColumns({ values: values.subarray(0, records.size * stride), stride })
  )

const stridesOf = ({ shape, doubles, floats, bytes }: Records): Strided[] => [
  { values: doubles, stride: shape.doubles },
  { values: floats, stride: shape.floats },
  { values: bytes, stride: shape.bytes }
]

export const RECORD_ARRAYS = 3

export const recordsFrom = (
  shape: RecordShape,
  size: number,
  arrays: readonly Packable[]
): Records => {
  const records = createRecords(shape)
  while (records.size < size) addRecord(records)
  for (const [index, { values, stride }] of stridesOf(records).entries()) {
    const saved = arrays[index] ?? []
    // States that were saved before records were packed hold the arrays as they are.
    if (saved instanceof Uint8Array) {
      unpackColumns(saved, { values: values.subarray(0, size * stride), stride })
    } else values.set(saved)
  }
  return records
}
