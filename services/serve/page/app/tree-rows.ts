import type { Event, Node } from './answers.ts'

/** The call tree of a trace as rows: attempts of one operation stand together. */
export type TreeRow = {
  node: Node
  event: Event
  /** Which attempt of how many; null where there is one alone. */
  attempt: { number: number; of: number } | null
  /** Start and length as shares of the whole trace, 0 to 1. */
  start: number
  length: number
}

export const treeRows = (nodes: readonly Node[], events: readonly Event[]): TreeRow[] => {
  const startMs = Math.min(...events.map(startOf))
  const spanMs = Math.max(
    1,
    Math.max(...events.map((event) => startOf(event) + lengthOf(event))) - startMs
  )
  const attempts = groupBy(nodes, (node) => node.attempt_of ?? node.index)
  return inOrder(nodes).map((node) => {
    const event = events[node.index]!
    const same = attempts.get(node.attempt_of ?? node.index)!
    return {
      node,
      event,
      attempt: same.length < 2 ? null : { number: same.indexOf(node) + 1, of: same.length },
      start: (startOf(event) - startMs) / spanMs,
      length: lengthOf(event) / spanMs
    }
  })
}

const startOf = (event: Event): number => Date.parse(event.time)
const lengthOf = (event: Event): number => Number(event['duration_ms'] ?? 0)

/** Callers before callees; a later attempt follows the first one of the same caller. */
const inOrder = (nodes: readonly Node[]): Node[] => {
  const byIndex = new Map(nodes.map((node) => [node.index, node]))
  const below = groupBy(nodes, ({ parent }) => parent)
  const ordered: Node[] = []
  // A stack, not a recursion: a trace may be thousands deep.
  const open = together(below.get(null) ?? [], byIndex).toReversed()
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    ordered.push(next)
    open.push(...together(below.get(next.index) ?? [], byIndex).toReversed())
  }
  return ordered
}

const together = (siblings: readonly Node[], byIndex: ReadonlyMap<number, Node>): Node[] => {
  const isLater = ({ attempt_of, parent }: Node): boolean =>
    attempt_of !== null && byIndex.get(attempt_of)?.parent === parent
  const later = groupBy(siblings.filter(isLater), ({ attempt_of }) => attempt_of)
  return siblings.flatMap((node) => (isLater(node) ? [] : [node, ...(later.get(node.index) ?? [])]))
}

const groupBy = <Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key) => {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
