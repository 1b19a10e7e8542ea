import { faultAt, type Fault } from '../../fault.ts'
import { LOG_OPTIONS, logContext, NO_LOG_CONTEXT, type LogContext } from '../log-options.ts'
import { logLines } from '../log-lines.ts'
import { logTime } from '../log-time.ts'
import { defineSource, type Candidate, type Message, type Reading } from '../source.ts'
import { entryOf, type Entry } from './entries.ts'

/** One request: its two lines, and the line number of the last. */
type Call = { received: Entry | null; generated: Entry | null; line: number }

/** Requests by id, in the order of their last line. */
const callsOf = (bytes: Uint8Array): { calls: Map<string, Call>; others: number } => {
  const calls = new Map<string, Call>()
  let others = 0
  for (const { number, text } of logLines(bytes)) {
    const entry = entryOf(text)
    if (entry === null) {
      others++
      continue
    }
    // Parts of a stream repeat under one id: only the last word has the whole answer.
    if (!entry.isFinal) continue
    const call = calls.get(entry.id) ?? { received: null, generated: null, line: number }
    calls.set(entry.id, { ...call, [entry.what]: entry, line: number })
  }
  return { calls, others }
}

/** Ids are counted from lists that `--max-log-len` may have cut: good to compare, not to bill. */
const WARNINGS = ['counted_from_logged_ids']

const callEvent = (id: string, call: Call, context: LogContext): Candidate => {
  const { received, generated } = call
  return {
    id,
    source: 'vllm',
    kind: 'llm',
    ...timesOf(call, context),
    provider: 'vllm',
    emitter: 'vllm',
    request_model: context.model,
    response_model: context.model,
    response_id: id,
    temperature: received?.temperature ?? null,
    stop_reason: generated?.stop ?? null,
    error_type: generated?.stop === 'abort' ? 'abort' : null,
    ...countsOf(received?.tokens ?? null, generated?.tokens ?? null)
  }
}

const timesOf = ({ received, generated }: Call, context: LogContext): Candidate => {
  const start = timeOf(received, context)
  const end = timeOf(generated, context)
  const elapsedMs = Date.parse(end ?? '') - Date.parse(start ?? '')
  return { time: start ?? end, duration_ms: elapsedMs >= 0 ? elapsedMs : null }
}

const timeOf = (entry: Entry | null, context: LogContext): string | null =>
  entry?.at == null ? null : logTime(entry.at, context)

const countsOf = (input: number | null, output: number | null): Candidate =>
  input === null && output === null
    ? {}
    : {
        tokens: { in_total: input, out_total: output },
        usage_convention: 'vllm/request-log ids',
        usage_confidence: 'low',
        usage_warnings: WARNINGS
      }

const faultOf = (id: string, call: Call, context: LogContext): Fault | null => {
  const entry = call.received ?? call.generated
  if (entry?.at == null || logTime(entry.at, context) !== null) return null
  return faultAt(
    { index: call.line, at: `line ${call.line}` },
    {
      code: 'E_EVENT_INVALID',
      message: `request ${id} has a time without a year: give the option year`,
      field: 'time',
      value: entry.at
    }
  )
}

const readWith =
  (context: LogContext) =>
  ({ bytes }: Message): Reading => {
    const { calls, others } = callsOf(bytes)
    const reading: Reading = { items: [], faults: [], ignored: others }
    for (const [id, call] of calls) {
      const fault = faultOf(id, call, context)
      const place = { index: call.line, at: `line ${call.line}` }
      if (fault === null) reading.items.push({ ...place, event: callEvent(id, call, context) })
      else reading.faults.push(fault)
    }
    return reading
  }

const vllm = defineSource({
  title: 'vLLM request logs',
  about:
    'Log of a vLLM server with `--enable-log-requests --enable-log-outputs`, text or JSON lines. ' +
    'It tells that a call was, when, and how it stopped; tokens only where it lists their ids, and ' +
    'never the cache: send its OpenTelemetry spans or its responses for that. Its Prometheus ' +
    'metrics are sums over requests: `tally reconcile --as vllm/metrics` sets them beside what was ' +
    'recorded. A file that grows is read again whole.',
  doors: [],
  handling: 'lenient',
  framing: 'document',
  tells: (
    'id source time tenant kind duration_ms provider emitter request_model response_model ' +
    'response_id temperature stop_reason error_type tokens usage_convention usage_confidence usage_warnings'
  ).split(' '),
  options: LOG_OPTIONS,
  configure: async (options) => ({ ...vllm, read: readWith(logContext(options)) }),
  read: readWith(NO_LOG_CONTEXT)
})

export default vllm
