import { sessionLines } from '../session-lines.ts'
import { defineSource, type Message, type Reading } from '../source.ts'
import { answersOf, answerEvent, answerSaid } from './answers.ts'
import { toolEvents } from './tools.ts'

/** Transcripts that Claude Code keeps of each session, one JSON object a line. */
const read = ({ bytes }: Message): Reading => {
  const { lines, faults } = sessionLines(bytes)
  const answers = answersOf(lines)
  const tools = toolEvents(lines)
  const used = new Set([...answers, ...tools].flatMap(({ numbers }) => numbers))
  return {
    items: [
      ...answers.map((answer) => ({
        ...placeOf(answer.numbers),
        event: answerEvent(answer),
        said: () => answerSaid(answer)
      })),
      ...tools.map(({ numbers, event }) => ({ ...placeOf(numbers), event }))
    ],
    faults,
    ignored: lines.filter(({ number }) => !used.has(number)).length
  }
}

const placeOf = (numbers: readonly number[]): { index: number; at: string } => {
  const index = numbers[0] ?? 0
  return { index, at: `line ${index}` }
}

export default defineSource({
  title: 'Claude Code sessions',
  about:
    'Transcripts of Claude Code (`~/.claude/projects/*/*.jsonl`), a file a session: each answer ' +
    'once, by its last snapshot, whatever lines repeat it; each tool call with hashes of its ' +
    'arguments and result. Give `--tenant`. A session that goes on is read again whole.',
  doors: [],
  handling: 'lenient',
  framing: 'document',
  tells: (
    'id source time tenant kind name duration_ms project tags trace_id span_id parent_span_id ' +
    'conversation_id request_id response_id provider api request_model response_model emitter usage ' +
    'usage_confidence usage_warnings ' +
    'status error_type stop_reason args_hash result_hash cost_reported_usd ' +
    'local script'
  ).split(' '),
  counts: true,
  read
})
