/**
 * The text in requests and responses of any provider and any dialect of spans: what is said, and
 * neither ids and numbers nor what is not text.
 */

/** Keys under which requests and responses hold text, or what holds text. */
const TEXT_KEYS: ReadonlySet<string> = new Set(
  (
    'content text input output system system_instruction systemInstruction instructions prompt messages parts ' +
    'contents choices message candidates thinking reasoning reasoning_content completion delta ' +
    'contentBlock texts documents response'
  ).split(' ')
)
/** Keys that hold a call of a tool, whose arguments the model wrote and is billed for. */
const CALL_KEYS: ReadonlySet<string> = new Set(
  'tool_calls function_call function functionCall functionCalls toolUse toolCalls tool_call'.split(
    ' '
  )
)
/** Arguments, as text or as an object of any keys, which then is counted as the JSON that it is. */
const ARGUMENT_KEYS: ReadonlySet<string> = new Set('arguments args input'.split(' '))
/** Types of parts that are calls of tools by themselves. */
const CALL_TYPES = /^(?:tool_use|tool_call|function_call|tool-call|server_tool_use|mcp_tool_use)$/
/** Deeper than any request nests its text. */
const DEPTH_MAX = 12
/** What stands in the place of content that a gateway removed or cut: such a text is not whole. */
const REMOVED = /redacted-by-litellm|__REDACTED__|truncated by litellm|litellm_truncated/
/** Markers stand alone or at the end; the middle of a long text needs no search. */
const MARKER_LENGTH_MAX = 200

/** All text of a value, in its order; null when there is none, or not all of it. */
export const textOf = (value: unknown): string | null => {
  const pieces: string[] = []
  gather(value, pieces, 0)
  const isWhole = !pieces.some((piece) => REMOVED.test(piece.slice(-MARKER_LENGTH_MAX)))
  const text = pieces.join('\n')
  return text === '' || !isWhole ? null : text
}

const gather = (value: unknown, pieces: string[], depth: number, isCall = false): void => {
  if (typeof value === 'string') {
    if (value !== '') pieces.push(value)
  } else if (depth >= DEPTH_MAX || typeof value !== 'object' || value === null) {
    return
  } else if (Array.isArray(value)) {
    for (const item of value as unknown[]) gather(item, pieces, depth + 1, isCall)
  } else {
    gatherObject(value as Record<string, unknown>, pieces, depth, isCall)
  }
}

const gatherObject = (
  value: Record<string, unknown>,
  pieces: string[],
  depth: number,
  isInCall: boolean
): void => {
  const isCall = isInCall || (typeof value['type'] === 'string' && CALL_TYPES.test(value['type']))
  for (const [key, item] of Object.entries(value)) {
    if (isCall && ARGUMENT_KEYS.has(key)) pieces.push(argumentsText(item))
    else if (CALL_KEYS.has(key)) gather(item, pieces, depth + 1, true)
    else if (!isCall && TEXT_KEYS.has(key)) gather(item, pieces, depth + 1)
  }
}

const argumentsText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
