import { faultAt } from '../../fault.ts'
import { isJsonObject } from '../../json-value.ts'
import { jsonItems } from '../json-items.ts'
import { defineSource, type Message, type Reading } from '../source.ts'
import { payloadContent, payloadSaid } from './content.ts'
import { payloadEvent } from './payload-event.ts'

const read = (message: Message): Reading => {
  const { items, faults } = jsonItems(message)
  const reading: Reading = { items: [], faults, ignored: 0 }
  for (const { index, at, value } of items) {
    if (isJsonObject(value)) {
      reading.items.push({
        index,
        at,
        event: payloadEvent(value),
        content: () => payloadContent(value),
        said: () => payloadSaid(value)
      })
    } else {
      const told = 'not a StandardLoggingPayload: no JSON object'
      reading.faults.push(faultAt({ index, at }, { code: 'E_EVENT_INVALID', message: told, value }))
    }
  }
  return reading
}

/** What the LiteLLM proxy logs about each call. */
export default defineSource({
  title: 'LiteLLM StandardLoggingPayload',
  about:
    "LiteLLM's logging payload, as its `generic_api` callback posts it (JSON array, NDJSON or " +
    'single). Set GENERIC_LOGGER_ENDPOINT to /v1/sources/litellm and GENERIC_LOGGER_HEADERS to ' +
    'the API key. The organisation pays, else the team.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: (
    'id source time tenant kind name duration_ms ttft_ms project team user tags trace_id ' +
    'conversation_id request_id response_id provider request_model response_model service_tier ' +
    'region route emitter provider_account usage tokens usage_convention usage_warnings status error_type ' +
    'stop_reason temperature cost_reported_usd attempt batch tools_hash system_prompt_hash local script'
  ).split(' '),
  counts: true,
  read
})
