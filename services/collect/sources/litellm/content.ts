import { contentHash } from '../../content-hash.ts'
import type { Said } from '../../count/local-counts.ts'
import { answerText } from '../../count/answer-text.ts'
import { isJsonObject, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import type { Candidate } from '../source.ts'

/** Content of a payload, which `turn_off_message_logging` leaves out: hashed, counted, dropped. */

/** Where some APIs have the system prompt: beside the messages. */
const BESIDE = ['system', 'instructions'] as const

const systemBeside = (payload: JsonObject): unknown =>
  BESIDE.map((name) => valueIn(payload, 'model_parameters', name)).find((one) => one !== null) ??
  null

export const payloadSaid = (payload: JsonObject): Said => ({
  in: [systemBeside(payload), valueIn(payload, 'messages')],
  out: answerText(valueIn(payload, 'response'))
})

/** For the flight recorder. */
export const payloadContent = (payload: JsonObject): unknown => {
  const [messages, response] = [valueIn(payload, 'messages'), valueIn(payload, 'response')]
  return messages === null && response === null ? null : { messages, response }
}

/** Identity of the tools and the system prompt. */
export const contentHashes = (payload: JsonObject): Candidate => {
  const tools =
    valueIn(payload, 'model_parameters', 'tools') ??
    valueIn(payload, 'model_parameters', 'functions')
  const messages = valueIn(payload, 'messages')
  const first: unknown = Array.isArray(messages) ? messages[0] : null
  const inMessages =
    isJsonObject(first) && ['system', 'developer'].includes(textIn(first, 'role') ?? '')
  const system = systemBeside(payload) ?? (inMessages ? valueIn(first, 'content') : null)
  return {
    ...(tools === null ? {} : { tools_hash: contentHash(tools) }),
    ...(system === null ? {} : { system_prompt_hash: contentHash(system) })
  }
}
