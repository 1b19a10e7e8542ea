/**
 * Fixed-size records for many series in three typed arrays: no object per series, so that a tick
 * over 100,000 series touches memory in order and a checkpoint is a copy of bytes.
 */

export type RecordShape = { doubles: number; floats: number; bytes: number }

export type Records = {
  shape: RecordShape
  size: number
  doubles: Float64Array
  floats: Float32Array
  bytes: Int8Array
}

/** Room for this many series at first; it doubles when full. */
const CAPACITY_START = 64

export const createRecords = (shape: RecordShape): Records => ({
  shape,
  size: 0,
  doubles: new Float64Array(shape.doubles * CAPACITY_START),
  floats: new Float32Array(shape.floats * CAPACITY_START),
  bytes: new Int8Array(shape.bytes * CAPACITY_START)
})

/** Adds a record of zeros and returns its slot. */
export const addRecord = (records: Records): number => {
  const { shape, size } = records
  if (size * shape.doubles === records.doubles.length) grow(records)
  records.size = size + 1
  return size
}

/** Adds a copy of a record and returns its slot. */
export const copyRecord = (records: Records, from: number): number => {
  const slot = addRecord(records)
  const { doubles, floats, bytes, shape } = records
  const copy = (array: Float64Array | Float32Array | Int8Array, length: number) =>
    array.copyWithin(slot * length, from * length, (from + 1) * length)
  copy(doubles, shape.doubles)
  copy(floats, shape.floats)
  copy(bytes, shape.bytes)
  return slot
}

/** Room is given back where less than this share of it is used. */
const USED_SHARE_MIN = 1 / 8

/** Keeps these records, in this order; new ones are of zeros, as ever. */
export const keepRecords = (records: Records, kept: readonly number[]): void => {
  const { shape } = records
  const isRoomy = kept.length < roomOf(records) * USED_SHARE_MIN
  const room = Math.max(CAPACITY_START, 2 * kept.length)
  const keep = <Numbers extends Float64Array | Float32Array | Int8Array>(
    array: Numbers,
    length: number,
    make: (length: number) => Numbers
  ): Numbers => {
    const copy = make(kept.length * length)
    for (const [slot, old] of kept.entries()) {
      copy.set(array.subarray(old * length, (old + 1) * length), slot * length)
    }
    const target = isRoomy ? make(room * length) : array
    target.set(copy)
    target.fill(0, copy.length)
    return target
  }
  records.doubles = keep(records.doubles, shape.doubles, (length) => new Float64Array(length))
  records.floats = keep(records.floats, shape.floats, (length) => new Float32Array(length))
  records.bytes = keep(records.bytes, shape.bytes, (length) => new Int8Array(length))
  records.size = kept.length
}

/** Records that there is room for. */
const roomOf = ({ shape, doubles }: Records): number => doubles.length / shape.doubles

const grow = (records: Records): void => {
  const { doubles, floats, bytes } = records
  records.doubles = new Float64Array(doubles.length * 2)
  records.doubles.set(doubles)
  records.floats = new Float32Array(floats.length * 2)
  records.floats.set(floats)
  records.bytes = new Int8Array(bytes.length * 2)
  records.bytes.set(bytes)
}

/** Bytes that one record takes in memory and in a checkpoint. */
export const recordBytes = ({ doubles, floats, bytes }: RecordShape): number =>
  doubles * 8 + floats * 4 + bytes

/** Names consecutive stretches of a record: `{ level: 2, hours: 24 }` gives their offsets. */
export const layout = <Name extends string>(
  lengths: Readonly<Record<Name, number>>
): { at: Readonly<Record<Name, number>>; length: number } => {
  const at = {} as Record<Name, number>
  let length = 0
  for (const name of Object.keys(lengths) as Name[]) {
    at[name] = length
    length += lengths[name]
  }
  return { at, length }
}
