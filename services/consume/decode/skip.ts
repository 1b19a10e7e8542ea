import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import type { Cursor } from './cursor.ts'

export type Skip = (cursor: Cursor) => void

/** Bounds nesting, so that hostile data in a self-containing schema can't exhaust the stack. */
const DEPTH_MAX = 64

/** One for each type, since a record may hold itself: else each level would build its own. */
const built = new WeakMap<AvroNode, Skip>()

/** A function that steps over one value of a type. */
export const skipper = (node: AvroNode): Skip => {
  const known = built.get(node)
  if (known !== undefined) return known
  const skip = skipOf(node)
  built.set(node, skip)
  return skip
}

const skipOf = (node: AvroNode): Skip => {
  switch (node.kind) {
    case 'null':
      return () => {}
    case 'boolean':
      return (cursor) => cursor.skip(1)
    case 'int':
    case 'long':
    case 'time':
    case 'enum':
      return (cursor) => void cursor.readLong()
    case 'float':
      return (cursor) => cursor.skip(4)
    case 'double':
      return (cursor) => cursor.skip(8)
    case 'fixed':
      return (cursor) => cursor.skip(node.size)
    case 'string':
    case 'bytes':
      return (cursor) => cursor.skip(cursor.readLength())
    default:
      return nested(node)
  }
}

type Nested = Extract<AvroNode, { kind: 'array' | 'map' | 'union' | 'record' }>

/** Built on first use: a record may hold itself. */
const nested = (node: Nested): Skip => {
  let skip: Skip | null = null
  return (cursor) => {
    if (++cursor.depth > DEPTH_MAX) {
      throw new Failure('E_RECORD_UNREADABLE', `values nest deeper than ${DEPTH_MAX}`)
    }
    skip ??= build(node)
    skip(cursor)
    cursor.depth--
  }
}

const build = (node: Nested): Skip => {
  if (node.kind === 'union') {
    const branches = node.branches.map(skipper)
    return (cursor) => pick(branches, cursor.readLong())(cursor)
  }
  if (node.kind === 'record') {
    const fields = node.fields.map((field) => skipper(field.node))
    return (cursor) => {
      for (const skip of fields) skip(cursor)
    }
  }
  const item = skipper(node.items)
  const isMap = node.kind === 'map'
  return (cursor) =>
    eachItem(cursor, () => {
      if (isMap) cursor.skip(cursor.readLength())
      item(cursor)
    })
}

/** The branch of a union by its index. */
export const pick = <Branch>(branches: readonly Branch[], index: number): Branch => {
  const branch = branches[index]
  if (branch === undefined) {
    throw new Failure('E_RECORD_UNREADABLE', `a union has no branch ${index}`)
  }
  return branch
}

/**
 * Calls `item` for every item of the blocks of an array or map. Items may take no bytes (nulls), but a
 * list of more of them than the record has bytes left is an attack.
 */
export const eachItem = (cursor: Cursor, item: () => void): void => {
  const itemsMax = Math.max(ITEMS_WITHOUT_BYTES_MAX, cursor.end - cursor.at)
  let total = 0
  for (let count = cursor.readLong(); count !== 0; count = cursor.readLong()) {
    // A negative count is followed by the block's length in bytes.
    if (count < 0) cursor.readLength()
    const items = Math.abs(count)
    total += items
    if (total > itemsMax) {
      throw new Failure('E_RECORD_UNREADABLE', `a list claims ${total} items`)
    }
    for (let index = 0; index < items; index++) item()
  }
}

/** So many fit into the shortest of records. */
const ITEMS_WITHOUT_BYTES_MAX = 1024
