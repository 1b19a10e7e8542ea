/** Answers of the fake provider, whole and as the events of a stream. */

export type Asked = {
  model: string
  stream?: boolean
  stream_options?: { include_usage?: boolean }
}
export type Answer = { body: object; events: string[] }

const CREATED_S = 1_772_359_200
export const ANSWER_TEXT = 'Cold water, most of all.'
/** What every call costs in tokens: inclusive input, of it read from the cache, output. */
export const ANSWER_TOKENS = { input: 900, cached: 800, output: 40 }

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const named = (type: string, value: object): string => `event: ${type}\n${data({ type, ...value })}`

export const chatAnswer = ({ model, stream_options }: Asked, id: string): Answer => {
  const head = { id: `chatcmpl-${id}`, created: CREATED_S, model: `${model}-2024-08-06` }
  const { input, cached, output } = ANSWER_TOKENS
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 }
  }
  const message = { role: 'assistant', content: ANSWER_TEXT }
  const choice = { index: 0, message, finish_reason: 'stop' }
  const chunk = (choices: object[], more: object = {}): string =>
    data({ ...head, object: 'chat.completion.chunk', choices, ...more })
  return {
    body: { ...head, object: 'chat.completion', choices: [choice], usage },
    events: [
      chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]),
      chunk([{ index: 0, delta: { content: ANSWER_TEXT }, finish_reason: null }]),
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
      ...(stream_options?.include_usage === true ? [chunk([], { usage })] : []),
      'data: [DONE]\n\n'
    ]
  }
}

export const responsesAnswer = ({ model }: Asked, id: string): Answer => {
  const { input, cached, output } = ANSWER_TOKENS
  const content = [{ type: 'output_text', text: ANSWER_TEXT, annotations: [] }]
  const item = { id: `msg_${id}`, type: 'message', role: 'assistant', status: 'completed', content }
  const head = { id: `resp_${id}`, object: 'response', created_at: CREATED_S, model }
  const body = {
    ...head,
    status: 'completed',
    output: [item],
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output
    }
  }
  const at = { output_index: 0, content_index: 0, item_id: item.id }
  const started = { ...head, status: 'in_progress', output: [], usage: null }
  return {
    body,
    events: [
      named('response.created', { response: started }),
      named('response.output_item.added', { output_index: 0, item: { ...item, content: [] } }),
      named('response.output_text.delta', { ...at, delta: ANSWER_TEXT }),
      named('response.output_item.done', { output_index: 0, item }),
      named('response.completed', { response: body })
    ]
  }
}

export const anthropicAnswer = ({ model }: Asked, id: string): Answer => {
  const { input, cached, output } = ANSWER_TOKENS
  const usage = {
    input_tokens: input - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached
  }
  const head = { id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null }
  const block = { type: 'text', text: ANSWER_TEXT }
  const end = { stop_reason: 'end_turn', stop_sequence: null }
  const empty = { ...head, content: [], stop_reason: null }
  const delta = { type: 'text_delta', text: ANSWER_TEXT }
  return {
    body: { ...head, ...end, content: [block], usage: { ...usage, output_tokens: output } },
    events: [
      named('message_start', { message: { ...empty, usage: { ...usage, output_tokens: 1 } } }),
      named('content_block_start', { index: 0, content_block: { ...block, text: '' } }),
      named('content_block_delta', { index: 0, delta }),
      named('content_block_stop', { index: 0 }),
      named('message_delta', { delta: end, usage: { output_tokens: output } }),
      named('message_stop', {})
    ]
  }
}
