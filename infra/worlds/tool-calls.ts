import { createRandom, type Random } from './random.ts'
import type { GrainRow } from './grain-rows.ts'

/**
 * Traces of agents with tools, as rows of a fold. Healthy ones think, call, repeat a call now and
 * then, poll jobs whose answers move on, fan out, and delegate to workers. In some, from a known
 * step on, the agent loops: one call, two or four calls in turn, or itself.
 */

export const LOOPS = ['one call', 'two calls', 'four calls', 'itself'] as const
export type LoopShape = (typeof LOOPS)[number]

export type ToolTrace = {
  trace: string
  startMs: number
  rows: GrainRow[]
  /** When the loop's second round begins; null in healthy traces. */
  loopMs: number | null
}

const TOOLS = ['search', 'read', 'write', 'run', 'lookup', 'book', 'calculate'] as const
const USD_PICO = 1e12
/** Cost of one model call: 8,000 tokens in, 200 out. */
const MODEL_PICO = 0.02 * USD_PICO
const MODEL_TOKENS = 8200

type Builder = { trace: ToolTrace; random: Random; ms: number; next: number }

const add = (builder: Builder, row: GrainRow): string => {
  const span = `s${(builder.next += 1)}`
  builder.trace.rows.push({
    tenant: 't',
    name: 'm',
    trace: builder.trace.trace,
    span,
    time_ms: builder.ms,
    duration_ms: 500,
    cost_pico: 0,
    tokens: 0,
    id: `${builder.trace.trace}-${String(builder.next).padStart(4, '0')}`,
    ...row
  })
  return span
}

const model = (builder: Builder, parent: string | null): string => {
  const span = add(builder, {
    kind: 'llm',
    parent,
    cost_pico: MODEL_PICO,
    tokens: MODEL_TOKENS
  })
  builder.ms += 1000 + Math.floor(4000 * builder.random.uniform())
  return span
}

type Call = { name: string; args: string; result: string; parent: string | null }

const call = (builder: Builder, { name, args, result, parent }: Call): string => {
  const span = add(builder, { kind: 'tool', name, args, result, parent })
  builder.ms += 800
  return span
}

const freshCall = (builder: Builder, parent: string | null): Call => {
  const { random } = builder
  const name = TOOLS[random.integer(0, TOOLS.length)]!
  const args = `a${random.integer(0, 1e9)}`
  return { name, args, result: `r${random.integer(0, 1e9)}`, parent }
}

/** A step of a healthy agent. */
const step = (builder: Builder, parent: string | null, depth: number): void => {
  const { random } = builder
  const kind = random.uniform()
  model(builder, parent)
  const one = freshCall(builder, parent)
  if (kind < 0.1) {
    // Asked again, with the same answer, after something else.
    call(builder, one)
    model(builder, parent)
    call(builder, freshCall(builder, parent))
    call(builder, one)
  } else if (kind < 0.18) {
    for (let poll = 0; poll < 6; poll++) {
      call(builder, { ...one, name: 'job_status', result: `${one.result}-${poll}` })
      model(builder, parent)
    }
  } else if (kind < 0.24) {
    for (let side = 0; side < 4; side++) add(builder, { kind: 'tool', ...one, duration_ms: 3000 })
    builder.ms += 3000
  } else if (kind < 0.3 && depth < 2) delegate(builder, parent, depth)
  else call(builder, one)
}

const delegate = (builder: Builder, parent: string | null, depth: number): void => {
  const tool = call(builder, { ...freshCall(builder, parent), name: 'delegate' })
  const worker = add(builder, { kind: 'agent', name: 'worker', parent: tool, duration_ms: 60_000 })
  for (let i = 0; i < 2; i++) step(builder, worker, depth + 1)
}

const LOOP_ROUNDS = 12

const loop = (builder: Builder, parent: string, shape: LoopShape): void => {
  if (shape === 'itself') return recurse(builder, parent)
  const length = { 'one call': 1, 'two calls': 2, 'four calls': 4 }[shape]
  const calls = Array.from({ length }, () => freshCall(builder, parent))
  for (let round = 0; round < LOOP_ROUNDS; round++) {
    if (round === 1) builder.trace.loopMs = builder.ms
    for (const one of calls) {
      model(builder, parent)
      call(builder, one)
    }
  }
}

const recurse = (builder: Builder, parent: string): void => {
  let above = parent
  for (let round = 0; round < LOOP_ROUNDS; round++) {
    if (round === 1) builder.trace.loopMs = builder.ms
    const asked = model(builder, above)
    const tool = call(builder, { ...freshCall(builder, asked), name: 'delegate' })
    above = add(builder, { kind: 'agent', name: 'worker', parent: tool, duration_ms: 600_000 })
  }
}

/** One trace of an agent; it ends in a loop where a shape is given. */
export const playTrace = (
  trace: string,
  { seed, startMs, shape }: { seed: number; startMs: number; shape: LoopShape | null }
): ToolTrace => {
  const random = createRandom(seed)
  const made: ToolTrace = { trace, startMs, rows: [], loopMs: null }
  const builder: Builder = { trace: made, random, ms: startMs, next: 0 }
  const agent = add(builder, {
    kind: 'agent',
    name: 'assistant',
    parent: null,
    duration_ms: 3_600_000
  })
  const steps = random.geometric(0.12)
  for (let i = 0; i < steps; i++) step(builder, agent, 0)
  if (shape !== null) loop(builder, agent, shape)
  return made
}
