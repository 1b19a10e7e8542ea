import { contentHash } from '../../content-hash.ts'
import { textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { label } from '../../label.ts'
import type { SessionLine } from '../session-lines.ts'
import type { Candidate } from '../source.ts'
import { contextOf } from './answers.ts'

/** A tool call of the session, from its use to its result. */
export type ToolStep = { numbers: number[]; event: Candidate }

const blocksOf = (line: JsonObject, type: string): JsonObject[] => {
  const content = valueIn(line, 'message', 'content')
  if (!Array.isArray(content)) return []
  return (content as JsonObject[]).filter((block) => textIn(block, 'type') === type)
}

export const toolEvents = (lines: readonly SessionLine[]): ToolStep[] => {
  const steps = new Map<string, ToolStep>()
  for (const line of lines) {
    for (const block of blocksOf(line.value, 'tool_use')) begin(steps, line, block)
    for (const block of blocksOf(line.value, 'tool_result')) end(steps, line, block)
  }
  return [...steps.values()]
}

const begin = (steps: Map<string, ToolStep>, line: SessionLine, block: JsonObject): void => {
  const id = textIn(block, 'id')
  if (id === null || steps.has(id)) return
  const event: Candidate = {
    id,
    source: 'claude-code',
    kind: 'tool',
    name: label(textIn(block, 'name')),
    time: textIn(line.value, 'timestamp'),
    ...contextOf(line.value),
    span_id: id,
    request_id: label(id),
    parent_span_id: textIn(line.value, 'message', 'id'),
    args_hash: contentHash(valueIn(block, 'input'))
  }
  steps.set(id, { numbers: [line.number], event })
}

const end = (steps: Map<string, ToolStep>, line: SessionLine, block: JsonObject): void => {
  const step = steps.get(textIn(block, 'tool_use_id') ?? '')
  if (step === undefined) return
  const elapsedMs =
    Date.parse(textIn(line.value, 'timestamp') ?? '') - Date.parse(step.event.time ?? '')
  step.numbers.push(line.number)
  step.event.duration_ms = elapsedMs >= 0 ? elapsedMs : null
  step.event.result_hash = contentHash(valueIn(block, 'content'))
  if (valueIn(block, 'is_error') === true) step.event.error_type = 'tool_error'
}
