import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import { Selection, type Chunk, type Loop } from './chunk.ts'
import { fillLoop, skipLoop } from './loops.ts'
import { pick } from './skip.ts'
import type { Target } from './target.ts'

/** Reads one field of the selected records of a chunk. */
export type Read = (chunk: Chunk, selection: Selection) => void

/**
 * The fields of a schema, as what reads them in their order. `targetOf` says which column a path of
 * the writer's schema fills; what fills none is stepped over.
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
    return union(
      node.branches.map((branch) => reader(branch, path, loopOf)),
      path
    )
  }
  const loop = loopOf(node)
  return (chunk, selection) => chunk.run(loop, selection, path)
}

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
