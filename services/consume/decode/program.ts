import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import { Selection, type Chunk, type Loop } from './chunk.ts'
import { truncated } from './cursor.ts'
import { fillLoop, skipLoop } from './loops.ts'
import { pick } from './skip.ts'
import type { Target } from './target.ts'

/** Reads one field of the selected records of a chunk. */
export type Read = (chunk: Chunk, selection: Selection) => void

/**
 * The fields of a schema, as what reads them in their order. `targetOf` says which column a path of
 * the writer's schema fills; what fills none is stepped over.
 * @throws Failure E_SCHEMA_UNKNOWN when a field can not fill its column
 */
export const compile = (
  node: AvroNode,
  targetOf: (path: string) => Target | undefined,
  path = ''
): Read[] => {
  if (node.kind !== 'record') {
    throw new Failure('E_SCHEMA_UNKNOWN', `events are Avro records, not ${node.kind}`)
  }
  return node.fields.flatMap((field) => {
    const at = path === '' ? field.name : `${path}.${field.name}`
    const target = targetOf(at)
    if (target === undefined && field.node.kind === 'record')
      return compile(field.node, targetOf, at)
    const loopOf = (type: AvroNode): Loop =>
      target === undefined ? skipLoop(type) : fillLoop(type, target)
    return [reader(field.node, at, loopOf)]
  })
}

/** A value of a type, or of one of several. */
const reader = (node: AvroNode, path: string, loopOf: (node: AvroNode) => Loop): Read => {
  if (node.kind === 'null') return () => {}
  if (node.kind === 'union') {
    const reads = node.branches.map((branch) => reader(branch, path, loopOf))
    const nullAt = node.branches.findIndex(({ kind }) => kind === 'null')
    if (reads.length !== 2 || nullAt === -1) return union(reads, path)
    return nullAt === 0 ? optional(reads[1]!, 1, path) : optional(reads[0]!, 0, path)
  }
  const loop = loopOf(node)
  return (chunk, selection) => chunk.run(loop, selection, path)
}

/**
 * A value or null, as most fields are: the branch that was taken is one byte, 0 or 2, and where it is
 * null there is nothing to read. `present` is the branch of the value.
 */
const optional = (read: Read, present: 0 | 1, path: string): Read => {
  const some = new Selection()
  const choose: Loop = (chunk, { records, count }, from) => {
    const { bytes, at, ends } = chunk
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const start = at[record]!
      const byte = start < ends[record]! ? bytes[start]! : truncated()
      const isShort = byte === 0 || byte === 2
      if (isShort) at[record] = start + 1
      const branch = isShort ? byte >> 1 : pick(BOTH, chunk.readLong(record))
      if (branch === present) some.add(record)
    }
  }
  return (chunk, selection) => {
    some.count = 0
    chunk.run(choose, selection, path)
    if (some.count > 0) read(chunk, some)
  }
}

const BOTH = [0, 1] as const

/** Sorts the records by the branch that each has taken; then reads one branch after the other. */
const union = (branches: readonly Read[], path: string): Read => {
  const taken = branches.map(() => new Selection())
  const choose: Loop = (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      pick(taken, chunk.readLong(record)).add(record)
    }
  }
  return (chunk, selection) => {
    for (const branch of taken) branch.count = 0
    chunk.run(choose, selection, path)
    branches.forEach((read, branch) => read(chunk, taken[branch]!))
  }
}
