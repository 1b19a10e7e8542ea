import { sessionLines } from '../session-lines.ts'
import { defineSource, type Message, type Reading } from '../source.ts'
import { readSession } from './session.ts'

/** Rollouts that Codex keeps of each session, one JSON object a line. */
const read = ({ bytes }: Message): Reading => {
  const { lines, faults } = sessionLines(bytes)
  const { steps, used } = readSession(lines)
  return {
    items: steps.map(({ number, event }) => ({ index: number, at: `line ${number}`, event })),
    faults,
    ignored: lines.filter(({ number }) => !used.has(number)).length
  }
}

export default defineSource({
  title: 'Codex sessions',
  about:
    'Rollouts of Codex (`~/.codex/sessions/**/rollout-*.jsonl`), a file a session: a call for ' +
    'each change of the running totals, so that a repeated notice adds nothing, and each tool ' +
    'call with hashes of its arguments and result. Give `--tenant`.',
  doors: [],
  handling: 'lenient',
  framing: 'document',
  tells: (
    'id source time tenant kind name duration_ms project trace_id span_id request_id conversation_id provider ' +
    'api request_model emitter usage context_limit args_hash result_hash'
  ).split(' '),
  read
})
