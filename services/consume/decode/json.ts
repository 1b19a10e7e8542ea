import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import type { Cursor } from './cursor.ts'
import { eachItem, pick } from './skip.ts'
import { decodeUtf8 } from './text.ts'

/** Bounds nesting of values that become JSON. */
const DEPTH_MAX = 32

/** Any Avro value as plain JSON; for the rare columns that hold JSON text. */
export const readJson = (node: AvroNode, cursor: Cursor, depth = 0): unknown => {
  if (depth > DEPTH_MAX)
    throw new Failure('E_RECORD_UNREADABLE', `values nest deeper than ${DEPTH_MAX}`)
  switch (node.kind) {
    case 'null':
      return null
    case 'boolean':
      return cursor.readBoolean()
    case 'int':
    case 'long':
    case 'time':
      return cursor.readLong()
    case 'float':
      return cursor.readFloat()
    case 'double':
      return cursor.readDouble()
    default:
      return readSized(node, cursor, depth)
  }
}

const readSized = (node: AvroNode, cursor: Cursor, depth: number): unknown => {
  switch (node.kind) {
    case 'enum':
      return pick(node.symbols, cursor.readLong())
    case 'string':
      return readText(cursor)
    case 'bytes':
      return Buffer.from(readBytes(cursor, cursor.readLength())).toString('base64')
    case 'fixed':
      return Buffer.from(readBytes(cursor, node.size)).toString('hex')
    case 'union':
      return readJson(pick(node.branches, cursor.readLong()), cursor, depth + 1)
    case 'array':
    case 'map':
    case 'record':
      return readNested(node, cursor, depth)
    default:
      throw new Failure('E_INTERNAL', `Avro ${node.kind} is no value of its own`)
  }
}

const readNested = (
  node: Extract<AvroNode, { kind: 'array' | 'map' | 'record' }>,
  cursor: Cursor,
  depth: number
): unknown => {
  if (node.kind === 'record') {
    return Object.fromEntries(
      node.fields.map(({ name, node: inner }) => [name, readJson(inner, cursor, depth + 1)])
    )
  }
  if (node.kind === 'array') {
    const items: unknown[] = []
    eachItem(cursor, () => items.push(readJson(node.items, cursor, depth + 1)))
    return items
  }
  const entries: [string, unknown][] = []
  eachItem(cursor, () => {
    const key = readText(cursor)
    entries.push([key, readJson(node.items, cursor, depth + 1)])
  })
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries)
}

const readText = (cursor: Cursor): string => {
  const bytes = readBytes(cursor, cursor.readLength())
  return decodeUtf8(bytes, 0, bytes.length)
}

const readBytes = (cursor: Cursor, length: number): Uint8Array => {
  const start = cursor.at
  cursor.skip(length)
  return cursor.bytes.subarray(start, start + length)
}
