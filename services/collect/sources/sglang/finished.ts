import { parseJson } from '../../json-text.ts'
import { isJsonObject, objectIn, textIn, type JsonObject } from '../../json-value.ts'
import { pythonObject } from '../python-literal.ts'

/** A finished request as one line of a log tells it. */
export type Finished = {
  id: string | null
  /** The line's time, when the request ended. */
  at: string | null
  meta: JsonObject
  request: JsonObject | null
}

/** `[2026-06-30 09:15:50] …`, `[2026-06-30 09:15:50 TP0] …`. */
const STAMP = /^\[(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})[^\]]*\]\s*/

/** The request that a line tells the end of; null for any other line. */
export const finishedOf = (line: string): Finished | 'unreadable' | null => {
  const stamp = STAMP.exec(line)
  const rest = stamp === null ? line.trim() : line.slice(stamp[0].length).trim()
  if (rest.startsWith('{')) return fromJson(rest, stamp?.[1] ?? null)
  if (rest.startsWith('Finish: ')) return fromText(rest, stamp?.[1] ?? null)
  return null
}

const fromJson = (text: string, stamp: string | null): Finished | 'unreadable' | null => {
  const entry = parsed(text)
  if (entry === null) return 'unreadable'
  const event = textIn(entry, 'event')
  if (event === null) return fromMetrics(entry, stamp)
  if (event !== 'request.finished') return null
  const meta = objectIn(entry, 'out', 'meta_info')
  // Without counts (a generated image) there is nothing to meter.
  if (meta === null) return null
  const at = textIn(entry, 'timestamp') ?? stamp
  return { id: textIn(entry, 'rid'), at, meta, request: objectIn(entry, 'obj') }
}

/** A line of the metrics file: the request's parameters as JSON text beside its `meta_info`. */
const fromMetrics = (entry: JsonObject, stamp: string | null): Finished | null => {
  const parameters = textIn(entry, 'request_parameters')
  if (parameters === null) return null
  const request = parsed(parameters)
  const at = textIn(entry, 'timestamp') ?? stamp
  return { id: textIn(entry, 'id') ?? textIn(request, 'rid'), at, meta: entry, request }
}

const META = "'meta_info': "

/** Text of prompts comes before the counts, so the last mark is the server's own. */
const fromText = (text: string, stamp: string | null): Finished | 'unreadable' => {
  const start = text.lastIndexOf(META)
  const meta = start === -1 ? null : pythonObject(text, start + META.length)
  if (meta === null) return 'unreadable'
  const id = /\brid='([\w-]{1,200})'/.exec(text)?.[1] ?? null
  return { id, at: stamp, meta, request: null }
}

const parsed = (text: string): JsonObject | null => {
  try {
    const value = parseJson(Buffer.from(text))
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}
