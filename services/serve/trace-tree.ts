import { z } from 'zod'

/** The call tree of a trace, out of events in any order and any state of repair. */

/** What the tree needs of an event. */
export type Step = {
  span_id: string | null
  parent_span_id: string | null
  operation_id: string | null
  attempt: number | null
  kind: string
  name: string | null
  /** Start, milliseconds since the epoch. */
  startMs: number
}

export const Node = z.strictObject({
  index: z.int().describe('Place of the event in `events`.'),
  parent: z.int().nullable().describe('Index of the step that called it; null = a root.'),
  depth: z.int(),
  orphan: z.boolean().describe('It names a parent that the trace does not hold.'),
  attempt_of: z
    .int()
    .nullable()
    .describe('Index of the first attempt of the same operation, where this is a later one.'),
  reenters: z
    .int()
    .nullable()
    .describe('Index of the nearest caller of the same kind and name: the call came back to it.')
})
export type Node = z.infer<typeof Node>

/**
 * Nodes in the order of a walk through the tree, callers before callees and by start. Spans that
 * call each other in a circle are cut at the earliest of them, which becomes a root.
 */
export const traceTree = (steps: readonly Step[]): Node[] => {
  const order = steps
    .map((_, index) => index)
    .sort((a, b) => steps[a]!.startMs - steps[b]!.startMs || a - b)
  const bySpan = new Map<string, number>()
  for (const index of order) {
    const span = steps[index]!.span_id
    if (span !== null && !bySpan.has(span)) bySpan.set(span, index)
  }
  const parents = steps.map((step, index) => {
    const parent = step.parent_span_id === null ? undefined : bySpan.get(step.parent_span_id)
    return parent === undefined || parent === index ? null : parent
  })
  for (const index of order) if (isInCircle(parents, index)) parents[index] = null
  return walk(steps, order, parents)
}

const isInCircle = (parents: readonly (number | null)[], start: number): boolean => {
  const seen = new Set<number>()
  for (let at = parents[start] ?? null; at !== null; at = parents[at] ?? null) {
    if (at === start) return true
    if (seen.has(at)) return false
    seen.add(at)
  }
  return false
}

const walk = (
  steps: readonly Step[],
  order: readonly number[],
  parents: readonly (number | null)[]
): Node[] => {
  const below = childrenOf(order, parents)
  const first = firstAttempts(steps, order)
  const nodes: Node[] = []
  // A stack, not a recursion: an agent may call itself thousands of times.
  const open = (below.get(null) ?? []).toReversed().map((index) => ({ index, depth: 0 }))
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { index, depth } = next
    const parent = parents[index] ?? null
    nodes.push({
      index,
      parent,
      depth,
      orphan: steps[index]!.parent_span_id !== null && parent === null,
      attempt_of: laterAttempt(steps[index]!, index, first),
      reenters: sameCaller(steps, index, parents)
    })
    const children = (below.get(index) ?? []).toReversed()
    open.push(...children.map((child) => ({ index: child, depth: depth + 1 })))
  }
  return nodes
}

const childrenOf = (
  order: readonly number[],
  parents: readonly (number | null)[]
): Map<number | null, number[]> => {
  const children = new Map<number | null, number[]>()
  for (const index of order) {
    const siblings = children.get(parents[index] ?? null)
    if (siblings === undefined) children.set(parents[index] ?? null, [index])
    else siblings.push(index)
  }
  return children
}

/** The nearest caller of the same kind and name. */
const sameCaller = (
  steps: readonly Step[],
  index: number,
  parents: readonly (number | null)[]
): number | null => {
  const { kind, name } = steps[index]!
  if (name === null) return null
  for (let at = parents[index] ?? null; at !== null; at = parents[at] ?? null) {
    if (steps[at]!.kind === kind && steps[at]!.name === name) return at
  }
  return null
}

const firstAttempts = (steps: readonly Step[], order: readonly number[]): Map<string, number> => {
  const first = new Map<string, number>()
  for (const index of order) {
    const operation = steps[index]!.operation_id
    if (operation !== null && !first.has(operation)) first.set(operation, index)
  }
  return first
}

const laterAttempt = (step: Step, index: number, first: ReadonlyMap<string, number>) => {
  const earliest = step.operation_id === null ? undefined : first.get(step.operation_id)
  return earliest === undefined || earliest === index ? null : earliest
}
