import { contentHash } from '../../content-hash.ts'
import { numberIn, objectIn, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { label } from '../../label.ts'
import type { SessionLine } from '../session-lines.ts'
import type { Candidate } from '../source.ts'

type Step = { number: number; event: Candidate }

/** What earlier lines told of the session. */
type State = {
  session: string | null
  model: string | null
  provider: string
  version: string | null
  cwd: string | null
  /** Running totals at the last call. */
  totals: JsonObject | null
  steps: Step[]
  tools: Map<string, Candidate>
  used: Set<number>
}

/** Calls and tools of a session, in the order of its lines, and the lines that told them. */
export const readSession = (
  lines: readonly SessionLine[]
): { steps: Step[]; used: ReadonlySet<number> } => {
  const state: State = {
    session: null,
    model: null,
    provider: 'openai',
    version: null,
    cwd: null,
    totals: null,
    steps: [],
    tools: new Map(),
    used: new Set()
  }
  for (const line of lines) readLine(state, line)
  return state
}

const readLine = (state: State, line: SessionLine): void => {
  const type = textIn(line.value, 'type') ?? ''
  if (Object.hasOwn(READERS, type)) READERS[type]?.(state, line, objectIn(line.value, 'payload'))
}

type LineReader = (state: State, line: SessionLine, payload: JsonObject | null) => void

/** Lines of interest, by their type. */
const READERS: Readonly<Record<string, LineReader>> = {
  // A continued session repeats the older one's first line; its own stands first.
  session_meta: (state, _line, payload) => {
    state.session ??= textIn(payload, 'id') ?? textIn(payload, 'session_id')
    state.version ??= textIn(payload, 'cli_version')
    state.cwd ??= textIn(payload, 'cwd')
    state.provider = textIn(payload, 'model_provider') ?? state.provider
  },
  turn_context: (state, _line, payload) => {
    state.model = textIn(payload, 'model') ?? state.model
  },
  event_msg: (state, line, payload) => {
    if (textIn(payload, 'type') === 'token_count') addCall(state, line, objectIn(payload, 'info'))
  },
  response_item: (state, line, payload) => {
    const type = textIn(payload, 'type') ?? ''
    if (type.endsWith('_call')) beginTool(state, line, payload)
    if (type.endsWith('_call_output')) endTool(state, line, payload)
  }
}

const COUNTS = [
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'reasoning_output_tokens',
  'total_tokens'
] as const

const addCall = (state: State, { number, value }: SessionLine, info: JsonObject | null): void => {
  const totals = objectIn(info, 'total_token_usage')
  if (totals === null) return
  state.used.add(number)
  const isSame = COUNTS.every((name) => numberIn(totals, name) === numberIn(state.totals, name))
  if (isSame) return
  const counts = objectIn(info, 'last_token_usage')
  const usage = counts !== null && Object.keys(counts).length > 0 ? counts : since(state, totals)
  state.totals = totals
  // By the running totals, which no two calls of a session share.
  const mark = COUNTS.map((name) => numberIn(totals, name) ?? '').join('-')
  const event: Candidate = {
    ...contextOf(state),
    id: `${state.session ?? contentHash(value)}-${mark}`,
    time: textIn(value, 'timestamp'),
    kind: 'llm',
    span_id: mark,
    provider: label(state.provider),
    api: 'responses',
    request_model: label(state.model),
    context_limit: numberIn(info, 'model_context_window'),
    usage
  }
  state.steps.push({ number, event })
}

/** Totals less those before; what is smaller than before began anew. */
const since = ({ totals: before }: State, totals: JsonObject): JsonObject => {
  const entries = COUNTS.flatMap((name): [string, number][] => {
    const count = numberIn(totals, name)
    if (count === null) return []
    const rest = count - (numberIn(before, name) ?? 0)
    return [[name, rest < 0 ? count : rest]]
  })
  return Object.fromEntries(entries)
}

const contextOf = ({ session, version, cwd }: State): Candidate => ({
  source: 'codex',
  trace_id: label(session),
  conversation_id: label(session),
  emitter: label(version === null ? 'codex' : `codex@${version}`),
  project: label(cwd?.split(/[\\/]/).findLast((part) => part !== '') ?? null)
})

const beginTool = (state: State, line: SessionLine, payload: JsonObject | null): void => {
  const id = textIn(payload, 'call_id') ?? textIn(payload, 'id')
  if (id === null || state.tools.has(id)) return
  state.used.add(line.number)
  const event: Candidate = {
    ...contextOf(state),
    id: `${state.session ?? 'session'}-${id}`,
    time: textIn(line.value, 'timestamp'),
    kind: 'tool',
    name: label(textIn(payload, 'name') ?? textIn(payload, 'type')),
    span_id: id,
    request_id: label(id),
    args_hash: contentHash(
      valueIn(payload, 'arguments') ?? valueIn(payload, 'input') ?? valueIn(payload, 'action')
    )
  }
  state.tools.set(id, event)
  state.steps.push({ number: line.number, event })
}

const endTool = (state: State, line: SessionLine, payload: JsonObject | null): void => {
  const event = state.tools.get(textIn(payload, 'call_id') ?? '')
  if (event === undefined) return
  state.used.add(line.number)
  const elapsedMs = Date.parse(textIn(line.value, 'timestamp') ?? '') - Date.parse(event.time ?? '')
  event.duration_ms = elapsedMs >= 0 ? elapsedMs : null
  event.result_hash = contentHash(valueIn(payload, 'output'))
}
