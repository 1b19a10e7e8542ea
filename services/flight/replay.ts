/** A trace as what happened step by step, in the order and depth in which it happened. */

export type Step = {
  time_ms: number
  tenant: string
  kind: string
  name: string | null
  id: string
  span_id: string | null
  parent_span_id: string | null
  duration_ms: number | null
  attempt: number | null
  model: string | null
  temperature: number | null
  status: number | null
  error_type: string | null
  in_total: number | null
  in_cache_read: number | null
  out_total: number | null
  stop_reason: string | null
  verdict: string | null
  system_prompt_hash: string | null
  args_hash: string | null
  result_hash: string | null
  result_truncated: boolean | null
  content_ref: string | null
  cost_usd: number | null
}

export type ReplayedStep = {
  step: Step
  depth: number
  /** Milliseconds since the first step. */
  afterMs: number
  /** One line for people. */
  line: string
  /** What would be needed to run the step again and was not recorded. */
  missing: string[]
  /** What was said, by name; null where nothing was kept. */
  content: Record<string, unknown> | null
}

/** @param contentOf the recorded content of a tenant's reference, or null. */
export const replayFlight = (
  steps: readonly Step[],
  contentOf: (tenant: string, ref: string) => unknown
): ReplayedStep[] => {
  const bySpan = new Map(
    steps.flatMap((step) => (step.span_id === null ? [] : [[step.span_id, step]]))
  )
  const startMs = Math.min(...steps.map(({ time_ms: ms }) => ms))
  return inOrder(steps, bySpan).map((step) => {
    const content = step.content_ref === null ? null : contentOf(step.tenant, step.content_ref)
    return {
      step,
      depth: depthOf(step, bySpan),
      afterMs: step.time_ms - startMs,
      line: lineOf(step),
      missing: missingOf(step, bySpan, content),
      content: asRecord(content)
    }
  })
}

/** Each step is followed by its children; those whose parent never came stand at the top. */
const inOrder = (steps: readonly Step[], bySpan: ReadonlyMap<string, Step>): Step[] => {
  const children = new Map<Step | null, Step[]>()
  for (const step of steps) {
    const parent = parentOf(step, bySpan)
    children.set(parent, [...(children.get(parent) ?? []), step])
  }
  const ordered: Step[] = []
  const seen = new Set<Step>()
  const visit = (step: Step): void => {
    if (seen.has(step)) return
    seen.add(step)
    ordered.push(step)
    for (const child of children.get(step) ?? []) visit(child)
  }
  for (const root of children.get(null) ?? []) visit(root)
  // Steps that call each other in a circle have no top.
  for (const step of steps) visit(step)
  return ordered
}

const parentOf = (step: Step, bySpan: ReadonlyMap<string, Step>): Step | null => {
  const parent = step.parent_span_id === null ? undefined : bySpan.get(step.parent_span_id)
  return parent === undefined || parent === step ? null : parent
}

/** Deeper trees are drawn at this depth. */
const DEPTH_MAX = 32

const depthOf = (step: Step, bySpan: ReadonlyMap<string, Step>): number => {
  let depth = 0
  let at = parentOf(step, bySpan)
  while (at !== null && depth < DEPTH_MAX) {
    depth += 1
    at = parentOf(at, bySpan)
  }
  return depth
}

const lineOf = (step: Step): string =>
  [
    step.kind,
    step.name,
    step.model,
    step.attempt !== null && step.attempt > 1 ? `attempt ${step.attempt}` : null,
    labelled('temperature ', step.temperature, ''),
    tokensOf(step),
    labelled('', step.cost_usd, ' USD'),
    labelled('', step.duration_ms, ' ms'),
    step.verdict,
    step.stop_reason,
    failureOf(step)
  ]
    .filter((part) => part !== null)
    .join(' · ')

const labelled = (before: string, value: number | null, after: string): string | null =>
  value === null ? null : `${before}${value}${after}`

const tokensOf = ({ in_total: input, in_cache_read: cached, out_total: output }: Step) => {
  if (input === null && output === null) return null
  return `${input ?? '?'} in${labelled(' (', cached, ' cached)') ?? ''}, ${output ?? '?'} out`
}

const failureOf = ({ status, error_type: error }: Step): string | null =>
  (status ?? 200) >= 400 || error !== null ? `FAILED ${error ?? status}` : null

const missingOf = (step: Step, bySpan: ReadonlyMap<string, Step>, content: unknown): string[] => {
  const isModel = step.kind === 'llm'
  const isTool = step.kind === 'tool'
  const facts: [boolean, string][] = [
    [isModel && step.model === null, 'model'],
    [isModel && step.system_prompt_hash === null, 'system prompt'],
    [isModel && step.temperature === null, 'temperature'],
    [isModel && step.in_total === null && step.out_total === null, 'usage'],
    [isTool && step.result_hash === null, 'result'],
    [step.result_truncated === true, 'rest of the result'],
    [step.parent_span_id !== null && !bySpan.has(step.parent_span_id), 'parent'],
    [step.content_ref !== null && content === null, 'content (forgotten)'],
    [step.content_ref === null && (isModel || isTool), 'content (not recorded)']
  ]
  return facts.flatMap(([isMissing, name]) => (isMissing ? [name] : []))
}

const asRecord = (content: unknown): Record<string, unknown> | null => {
  if (content === null || content === undefined) return null
  return typeof content === 'object' && !Array.isArray(content)
    ? (content as Record<string, unknown>)
    : { content }
}
