import { numberIn, objectIn, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import type { Said } from '../../count/local-counts.ts'
import { decimalText, label } from '../../label.ts'
import type { SessionLine } from '../session-lines.ts'
import type { Candidate } from '../source.ts'

/** One answer of the model: all lines that repeat it, in the order of the file. */
export type Answer = { id: string; numbers: number[]; lines: JsonObject[] }

/**
 * Answers by the provider's message id. One answer is written once for each block of its content,
 * with the usage of that moment; counting lines counts it many times, and keeping the first keeps
 * a partial snapshot.
 */
export const answersOf = (lines: readonly SessionLine[]): Answer[] => {
  const answers = new Map<string, Answer>()
  for (const { number, value } of lines) {
    if (textIn(value, 'type') !== 'assistant' || !isCall(value)) continue
    const id = idOf(value) ?? `line-${number}`
    const answer = answers.get(id) ?? { id, numbers: [], lines: [] }
    answer.numbers.push(number)
    answer.lines.push(value)
    answers.set(id, answer)
  }
  return [...answers.values()]
}

/** Ids of the provider are unique; gateways count anew in every session. */
const GLOBAL_ID = /^msg_\w{20,}$/

const idOf = (line: JsonObject): string | null => {
  const id = textIn(line, 'message', 'id')
  if (id === null) return textIn(line, 'uuid')
  const session = textIn(line, 'sessionId')
  return GLOBAL_ID.test(id) || session === null ? id : `${session}-${id}`
}

/** Words that the program itself put in the model's mouth are no call; errors of the API are. */
const isCall = (line: JsonObject): boolean =>
  textIn(line, 'message', 'model') !== '<synthetic>' || valueIn(line, 'isApiErrorMessage') === true

export const answerEvent = ({ id, lines }: Answer): Candidate => {
  const first = lines[0] ?? {}
  const last = lines.at(-1) ?? {}
  const model = textIn(last, 'message', 'model')
  return {
    id,
    source: 'claude-code',
    kind: 'llm',
    time: textIn(first, 'timestamp'),
    ...contextOf(first),
    span_id: label(textIn(last, 'message', 'id')),
    provider: 'anthropic',
    api: 'messages',
    response_id:
      valueIn(last, 'isApiErrorMessage') === true ? null : label(textIn(last, 'message', 'id')),
    request_id: label(textIn(last, 'requestId')),
    request_model: model === '<synthetic>' ? null : label(model),
    response_model: model === '<synthetic>' ? null : label(model),
    stop_reason: label(lastOf(lines, (line) => textIn(line, 'message', 'stop_reason'))),
    usage: fullestUsage(lines),
    cost_reported_usd: decimalText(lastOf(lines, (line) => numberIn(line, 'costUSD'))),
    ...(lastOf(lines, (line) => textIn(line, 'message', 'stop_reason')) === null ? UNFINISHED : {}),
    ...errorOf(last)
  }
}

/** Thinking that the provider keeps to itself is billed and in no text. */
const isHidden = (block: unknown): boolean =>
  textIn(block, 'type') === 'redacted_thinking' ||
  (textIn(block, 'type') === 'thinking' && textIn(block, 'thinking') === null)

/**
 * What an answer said, its blocks each once. What was asked is the whole conversation with prompts
 * that no transcript holds.
 */
export const answerSaid = ({ lines }: Answer): Said => {
  const blocks = new Map<string, unknown>()
  for (const line of lines) {
    const content = valueIn(line, 'message', 'content')
    for (const block of Array.isArray(content) ? (content as unknown[]) : []) {
      if (isHidden(block)) return { in: null, out: null }
      blocks.set(JSON.stringify(block), block)
    }
  }
  return { in: null, out: [...blocks.values()] }
}

/** Without a stop reason the last snapshot may be one of a stream that went on. */
const UNFINISHED: Candidate = {
  usage_confidence: 'low',
  usage_warnings: ['snapshot_without_stop_reason']
}

/** What every event of a line shares: session, project, version. */
export const contextOf = (line: JsonObject): Candidate => {
  const version = textIn(line, 'version')
  const session = label(textIn(line, 'sessionId'))
  const branch = label(textIn(line, 'gitBranch'))
  const agent = label(textIn(line, 'agentId'))
  const tags = {
    ...(branch === null ? {} : { git_branch: branch }),
    ...(agent === null ? {} : { agent }),
    ...(valueIn(line, 'isSidechain') === true ? { sidechain: 'true' } : {})
  }
  return {
    trace_id: session,
    conversation_id: session,
    project: label(
      textIn(line, 'cwd')
        ?.split(/[\\/]/)
        .findLast((part) => part !== '') ?? null
    ),
    emitter: label(version === null ? 'claude-code' : `claude-code@${version}`),
    tags: Object.keys(tags).length === 0 ? null : tags
  }
}

const lastOf = <T>(
  lines: readonly JsonObject[],
  read: (line: JsonObject) => T | null
): T | null => {
  for (const line of lines.toReversed()) {
    const value = read(line)
    if (value !== null) return value
  }
  return null
}

/** The snapshot with the most output; of equals the last, which knows most. */
const fullestUsage = (lines: readonly JsonObject[]): JsonObject | null => {
  let fullest: JsonObject | null = null
  let most = -1
  for (const line of lines) {
    const usage = objectIn(line, 'message', 'usage')
    const output = numberIn(usage, 'output_tokens') ?? 0
    if (usage === null || output < most) continue
    fullest = usage
    most = output
  }
  return fullest
}

const API_ERROR = /API Error: (\d{3})\b[^]*?(?:"type":"(\w+_error)"|$)/

const errorOf = (line: JsonObject): Candidate => {
  if (valueIn(line, 'isApiErrorMessage') !== true) return {}
  const content = valueIn(line, 'message', 'content')
  const text = Array.isArray(content) ? textIn(content[0], 'text') : null
  const found = API_ERROR.exec(text ?? '')
  const status = found?.[1] === undefined ? null : Number(found[1])
  return {
    usage: null,
    usage_warnings: null,
    usage_confidence: null,
    status,
    error_type: found?.[2] ?? label(textIn(line, 'error')) ?? 'error'
  }
}
