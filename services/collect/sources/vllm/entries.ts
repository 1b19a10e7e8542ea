import { parseJson } from '../../json-text.ts'
import { isJsonObject, textIn } from '../../json-value.ts'

/** What one line of vLLM's request log tells; null counts are not told. */
export type Entry = {
  what: 'received' | 'generated'
  id: string
  at: string | null
  /** Length of the list of token ids that the line holds. */
  tokens: number | null
  stop: string | null
  temperature: number | null
  /** The answer was a stream's last word, or no stream. */
  isFinal: boolean
}

/** `INFO 11-24 10:00:00 [logger.py:42] `, with a process in front or a year in newer servers. */
const PREFIX =
  /^(?:\([^)]*\) )?(?:DEBUG|INFO|WARNING) (?<at>(?:\d{4}-)?\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:[.,]\d+)? (?:\[[^\]]*\] )?/
const RECEIVED = /^Received request (?<id>[\w.:-]{1,200}): /
const GENERATED = /^Generated response (?<id>[\w.:-]{1,200})(?<how> \([^)]*\))?: /

/** The entry that a line is, or null. */
export const entryOf = (line: string): Entry | null => {
  const prefix = PREFIX.exec(line)
  if (prefix !== null) {
    return messageEntry(line.slice(prefix[0].length), prefix.groups?.['at'] ?? null)
  }
  return line.startsWith('{') ? jsonEntry(line) : null
}

const TIMES = ['timestamp', 'asctime', 'time', '@timestamp']
const MESSAGES = ['message', 'msg', 'event']

/** A line of a JSON formatter (`VLLM_LOGGING_CONFIG_PATH`), by the names that formatters use. */
const jsonEntry = (line: string): Entry | null => {
  let value: unknown
  try {
    value = parseJson(Buffer.from(line))
  } catch {
    return null
  }
  if (!isJsonObject(value)) return null
  const told = MESSAGES.map((name) => textIn(value, name)).find((text) => text !== null) ?? ''
  const at = TIMES.map((name) => textIn(value, name)).find((text) => text !== null) ?? null
  return messageEntry(told, at)
}

const messageEntry = (message: string, at: string | null): Entry | null => {
  const received = RECEIVED.exec(message)
  if (received !== null) {
    const id = received.groups?.['id'] ?? ''
    const rest = message.slice(received[0].length)
    const tokens = idsIn(rest, 'prompt_token_ids: ')
    const temperature = numberAfter(rest, 'temperature=')
    return { what: 'received', id, at, tokens, temperature, stop: null, isFinal: true }
  }
  const generated = GENERATED.exec(message)
  if (generated === null) return null
  const { id = '', how = '' } = generated.groups ?? {}
  const rest = message.slice(generated[0].length)
  const stop = /finish_reason: (\w+)\s*$/.exec(rest)?.[1] ?? null
  return {
    what: 'generated',
    id,
    at,
    tokens: idsIn(rest, 'output_token_ids: '),
    temperature: null,
    stop: stop === 'None' ? null : stop,
    isFinal: !how.includes('delta')
  }
}

const IDS = /\[([\d, ]*)\]/y

/** How many ids the last list under a name has: text of prompts comes before it. */
const idsIn = (text: string, name: string): number | null => {
  const start = text.lastIndexOf(name)
  if (start === -1) return null
  IDS.lastIndex = start + name.length
  const list = IDS.exec(text)?.[1]
  if (list === undefined) return null
  return list.trim() === '' ? 0 : list.split(',').length
}

const numberAfter = (text: string, name: string): number | null => {
  const found = new RegExp(`${name}([\\d.]+)`).exec(text.slice(text.lastIndexOf('SamplingParams(')))
  return found === null ? null : Number(found[1])
}
