import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import type { Cursor } from './cursor.ts'

export type Skip = (cursor: Cursor) => void

/** Bounds nesting, so that hostile data in a self-containing schema can't exhaust the stack. */
const DEPTH_MAX = 64

/** A function that steps over one value of a type. */
export const skipper = (node: AvroNode): Skip => {
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
  let depth = 0
  return (cursor) => {
    if (++depth > DEPTH_MAX) {
      depth = 0
      throw new Failure('E_RECORD_UNREADABLE', `values nest deeper than ${DEPTH_MAX}`)
    }
    skip ??= build(node)
    skip(cursor)
    depth--
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

/** Calls `item` for every item of the blocks of an array or map. */
export const eachItem = (cursor: Cursor, item: () => void): void => {
  for (let count = cursor.readLong(); count !== 0; count = cursor.readLong()) {
    // A negative count is followed by the block's length in bytes.
    if (count < 0) cursor.readLength()
    const items = Math.abs(count)
    if (items > cursor.end - cursor.at && items > ITEMS_WITHOUT_BYTES_MAX) {
      throw new Failure('E_RECORD_UNREADABLE', `a list claims ${items} items`)
    }
    for (let index = 0; index < items; index++) item()
  }
}

/** Items may take no bytes (nulls), but a list of that many of them is an attack. */
const ITEMS_WITHOUT_BYTES_MAX = 1024
