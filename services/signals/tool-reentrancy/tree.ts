import { NONE, type Step } from './step.ts'

/**
 * The part of a trace's call tree that is alive: the latest spans and all above them. Spans that
 * were recorded as siblings though one ran inside the other are put back into place.
 */

export type Span = {
  id: number
  parent: number
  kind: string
  label: string
  args: number
  ms: number
  endMs: number
  /** Whether a model was seen to run inside this tool or agent. */
  reenters: 0 | 1
  /** Whether the parent was worked out from times. */
  inferred: 0 | 1
}

/** Spans kept per trace: more than a path has before a recursion limit of 25 ends it. */
const SPANS_MAX = 32

export const findSpan = (spans: readonly Span[], id: number): Span | undefined => {
  if (id === NONE) return undefined
  for (const span of spans) if (span.id === id) return span
  return undefined
}

/** Adds a step to the tree; null when it has no id or was seen already. */
export const addSpan = (spans: Span[], step: Step): Span | null => {
  if (step.span === NONE || findSpan(spans, step.span) !== undefined) return null
  const { kind, label } = step.of
  const around = containerOf(spans, step)
  if (around !== undefined && kind === 'llm') around.reenters = 1
  const span: Span = {
    id: step.span,
    parent: around?.id ?? step.parent,
    kind,
    label,
    args: step.args,
    ms: step.ms,
    endMs: step.endMs,
    reenters: 0,
    inferred: around === undefined ? 0 : 1
  }
  const parent = findSpan(spans, step.parent)
  if (kind === 'llm' && parent !== undefined) parent.reenters = 1
  keepPath(spans, span)
  spans.push(span)
  if (spans.length > SPANS_MAX) spans.shift()
  return span
}

const canContain = ({ kind }: Span): boolean => kind === 'tool' || kind === 'agent'

/** The innermost sibling inside which a step ran, by their times. */
const containerOf = (spans: readonly Span[], step: Step): Span | undefined => {
  for (let i = spans.length - 1; i >= 0; i--) if (contains(spans[i]!, step)) return spans[i]
  return undefined
}

const contains = (span: Span, step: Step): boolean =>
  canContain(span) &&
  span.parent === step.parent &&
  span.ms <= step.ms &&
  step.endMs <= span.endMs &&
  span.endMs > step.ms &&
  // Tools beside each other are common; inside each other only when a model is between.
  (step.of.kind === 'llm' || span.kind === 'agent' || span.reenters === 1)

/** Moves what lies above a span to the end of the line, so that it is kept. */
const keepPath = (spans: Span[], span: Span): void => {
  if (findSpan(spans, span.parent) === undefined) return
  for (const above of pathAbove(spans, span).reverse()) {
    spans.splice(spans.indexOf(above), 1)
    spans.push(above)
  }
}

/** Spans above, the nearest first. */
export const pathAbove = (spans: readonly Span[], span: Span): Span[] => {
  const path: Span[] = []
  let above = findSpan(spans, span.parent)
  while (above !== undefined && !path.includes(above) && above !== span) {
    path.push(above)
    above = findSpan(spans, above.parent)
  }
  return path
}

/** What a step's repetitions are counted in: the agent that it works for, or the whole trace (NONE). */
export const scopeOf = (spans: readonly Span[], step: Step): number => {
  let id = step.parent
  for (let depth = 0; depth < SPANS_MAX; depth++) {
    const span = findSpan(spans, id)
    if (span === undefined || span.kind === 'agent') return id
    id = span.parent
  }
  return NONE
}

/** How often a span's own label lies on its path, itself included. */
export const recursionOf = (spans: readonly Span[], span: Span) => {
  const path = pathAbove(spans, span)
  const same = path.filter(({ label }) => label === span.label)
  const alike = same.filter(({ args }) => args !== NONE && args === span.args)
  return {
    depth: same.length + 1,
    sameArgs: span.args === NONE ? 1 : alike.length + 1,
    cycle: path.slice(0, path.indexOf(same[0]!) + 1).map(({ label }) => label),
    inferred: [span, ...path].filter(({ inferred }) => inferred === 1).length,
    first: same.at(-1) ?? span
  }
}
