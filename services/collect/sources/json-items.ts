import { Failure } from '../../../schemas/failure.ts'
import { faultAt, type Fault } from '../fault.ts'
import { parseJson } from '../json-text.ts'
import { splitLines } from '../lines.ts'
import type { Message } from './source.ts'

/** Media types of one JSON value a line. */
export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/** A JSON value of a message and its place in it. */
export type JsonItem = { index: number; at: string; value: unknown }

/**
 * The values of a message: of a list each one, of NDJSON each line, else the whole.
 * @throws Failure E_BODY_UNREADABLE when the message is one JSON text and not readable.
 */
export const jsonItems = (message: Message): { items: JsonItem[]; faults: Fault[] } => {
  if (message.mediaType !== null && NDJSON_TYPES.includes(message.mediaType)) return lines(message)
  const value = parseJson(message.bytes)
  const values: unknown[] = Array.isArray(value) ? value : [value]
  const items = values.map((one, index) => ({ index, at: `[${index}]`, value: one }))
  return { items, faults: [] }
}

const lines = ({ bytes }: Message): { items: JsonItem[]; faults: Fault[] } => {
  const items: JsonItem[] = []
  const faults: Fault[] = []
  let index = 0
  for (const line of splitLines(bytes)) {
    const place = { index: index++, at: `line ${line.number}` }
    try {
      items.push({ ...place, value: parseJson(line.bytes) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      faults.push(faultAt(place, { code: error.code, message: error.message }))
    }
  }
  return { items, faults }
}
