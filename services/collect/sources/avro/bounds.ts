import avro from 'avsc'

/**
 * Whether Avro bytes hold what they claim to. The decoder believes counts: a list that says it has
 * 2^50 items is read item after item beyond the end of the bytes, which never ends. So what has
 * lists or maps is walked through first, and no more items are believed than there are bytes.
 */

/** Deeper than any record: recursive schemas nest as deep as the bytes say. */
const DEPTH_MAX = 64

/** Whether a type has anything that is counted. */
export const hasCounts = (type: avro.Type, seen = new Set<avro.Type>()): boolean => {
  if (seen.has(type)) return false
  seen.add(type)
  return (
    type instanceof avro.types.ArrayType ||
    type instanceof avro.types.MapType ||
    partsOf(type).some((part) => hasCounts(part, seen))
  )
}

/** @throws RangeError when the bytes end early, or claim more items than they can hold. */
export const checkCounts = (type: avro.Type, bytes: Uint8Array): void =>
  new Walk(bytes).over(type, 0)

type Union = avro.Type & { types: readonly avro.Type[] }
const isUnion = (type: avro.Type): type is Union => type.typeName.startsWith('union:')

const partsOf = (type: avro.Type): readonly avro.Type[] => {
  if (type instanceof avro.types.RecordType) return type.fields.map((field) => field.type)
  if (type instanceof avro.types.LogicalType) return [type.underlyingType]
  return isUnion(type) ? type.types : []
}

class Walk {
  readonly #bytes: Uint8Array
  #at = 0
  #items = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  over(type: avro.Type, depth: number): void {
    if (depth > DEPTH_MAX) throw new RangeError(`nests deeper than ${DEPTH_MAX} levels`)
    if (type instanceof avro.types.ArrayType) this.#blocks(type.itemsType, depth, false)
    else if (type instanceof avro.types.MapType) this.#blocks(type.valuesType, depth, true)
    else if (isUnion(type)) this.#branch(type, depth)
    else if (type instanceof avro.types.FixedType) this.#skip(type.size)
    else if (SIZES[type.typeName] !== undefined) this.#skip(SIZES[type.typeName]!)
    else if (type.typeName === 'string' || type.typeName === 'bytes') this.#skip(this.#varint())
    else if (VARINTS.has(type.typeName)) this.#varint()
    else for (const part of partsOf(type)) this.over(part, depth + 1)
  }

  #branch({ types }: Union, depth: number): void {
    const branch = types[this.#varint()]
    if (branch === undefined) throw new RangeError('a union has no such branch')
    this.over(branch, depth + 1)
  }

  #blocks(type: avro.Type, depth: number, hasKeys: boolean): void {
    for (let count = this.#count(); count !== 0; count = this.#count()) {
      this.#items += count
      if (!(this.#items <= this.#bytes.length)) throw new RangeError(`a list of ${count} items`)
      for (let item = 0; item < count; item++) {
        if (hasKeys) this.#skip(this.#varint())
        this.over(type, depth + 1)
      }
    }
  }

  /** A block whose count is negative tells its size in bytes as well. */
  #count(): number {
    const count = this.#varint()
    if (count < 0) this.#varint()
    return Math.abs(count)
  }

  #skip(bytes: number): void {
    this.#at += bytes
    if (!(bytes >= 0 && this.#at <= this.#bytes.length)) throw new RangeError('the bytes end early')
  }

  /** Zigzag; numbers beyond 2^53 are only near, which no bound minds. */
  #varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new RangeError('the bytes end early')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      scale *= 0x80
    }
  }
}

const SIZES: Readonly<Record<string, number>> = { null: 0, boolean: 1, float: 4, double: 8 }
const VARINTS: ReadonlySet<string> = new Set(['int', 'long', 'enum'])
