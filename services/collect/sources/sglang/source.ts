import { faultAt, type Fault } from '../../fault.ts'
import { numberIn, objectIn, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { label } from '../../label.ts'
import { LOG_OPTIONS, logContext, NO_LOG_CONTEXT, type LogContext } from '../log-options.ts'
import { logLines } from '../log-lines.ts'
import { logTime, timeBefore } from '../log-time.ts'
import { defineSource, type Candidate, type Item, type Message, type Reading } from '../source.ts'
import { finishedOf, type Finished } from './finished.ts'

const MS_PER_SECOND = 1000

const milliseconds = (seconds: number | null): number | null =>
  seconds === null || seconds < 0 ? null : Math.round(seconds * MS_PER_SECOND)

/** `finish_reason` is an object with a type, or text in older servers. */
const stopOf = (meta: JsonObject): string | null =>
  label(textIn(meta, 'finish_reason', 'type') ?? textIn(meta, 'finish_reason'))

const usageOf = (meta: JsonObject): JsonObject | null => {
  const prompt = numberIn(meta, 'prompt_tokens')
  const completion = numberIn(meta, 'completion_tokens')
  const cached = numberIn(meta, 'cached_tokens')
  if (prompt === null && completion === null) return null
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    prompt_tokens_details: { cached_tokens: cached },
    ...(valueIn(meta, 'reasoning_tokens') === null
      ? {}
      : { reasoning_tokens: meta['reasoning_tokens'] })
  }
}

const callEvent = ({ id, at, meta, request }: Finished, context: LogContext): Candidate => {
  const elapsedMs = milliseconds(numberIn(meta, 'e2e_latency'))
  const status = numberIn(meta, 'finish_reason', 'status_code')
  const stop = stopOf(meta)
  return {
    id: id ?? label(textIn(meta, 'id')),
    source: 'sglang',
    kind: 'llm',
    time: timeBefore(at === null ? null : logTime(at, context), elapsedMs),
    duration_ms: elapsedMs,
    queue_ms: milliseconds(numberIn(meta, 'queue_time')),
    ttft_ms: milliseconds(numberIn(meta, 'ttft') ?? numberIn(meta, 'time_to_first_token')),
    provider: 'sglang',
    api: 'chat',
    emitter: 'sglang',
    request_model: context.model ?? label(textIn(request, 'model')),
    response_model: context.model,
    response_id: id,
    component_version: label(textIn(meta, 'weight_version')),
    temperature: numberIn(objectIn(request, 'sampling_params'), 'temperature'),
    user: label(textIn(request, 'user') ?? textIn(request, 'routing_key')),
    stop_reason: stop,
    status,
    error_type:
      stop === 'abort' ? (label(textIn(meta, 'finish_reason', 'err_type')) ?? 'abort') : null,
    usage: usageOf(meta)
  }
}

const readWith =
  (context: LogContext) =>
  ({ bytes }: Message): Reading => {
    const reading: Reading = { items: [], faults: [], ignored: 0 }
    let index = 0
    for (const { number, text } of logLines(bytes)) {
      const place = { index: index++, at: `line ${number}` }
      const finished = finishedOf(text)
      if (finished === null) reading.ignored++
      else if (finished === 'unreadable') reading.faults.push(unreadable(place, text))
      else reading.items.push(itemOf(place, finished, context))
    }
    return reading
  }

const itemOf = (
  place: { index: number; at: string },
  finished: Finished,
  context: LogContext
): Item => ({ ...place, event: callEvent(finished, context) })

const unreadable = (place: { index: number; at: string }, value: string): Fault =>
  faultAt(place, {
    code: 'E_EVENT_INVALID',
    message: 'a finished request whose meta_info can not be read',
    value
  })

const sglang = defineSource({
  title: 'SGLang request logs',
  about:
    'Request logs of an SGLang server (`--log-requests`, text or `--log-requests-format json`) ' +
    'and the per-request file of `--export-metrics-to-file`. The log names no model unless it is ' +
    'told: option model. Its Prometheus metrics are sums over requests: `tally reconcile --as ' +
    'sglang/metrics` sets them beside what was recorded.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: (
    'id source time kind duration_ms queue_ms ttft_ms provider api emitter request_model ' +
    'response_model response_id component_version temperature user stop_reason status error_type usage tenant'
  ).split(' '),
  options: LOG_OPTIONS,
  configure: async (options) => ({ ...sglang, read: readWith(logContext(options)) }),
  read: readWith(NO_LOG_CONTEXT)
})

export default sglang
