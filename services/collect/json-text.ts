import { isUtf8 } from 'node:buffer'
import { Failure } from '../../schemas/failure.ts'

/**
 * JSON from outside. Before parsing, one pass over the bytes bounds what the parse may cost: how
 * deep it nests (stringifying is recursive) and how many objects it makes (a body of `[{},{},…`
 * takes twenty times its size in memory).
 */

/** Deeper than any usage block or span (measured: 9), shallower than any stack. */
export const JSON_DEPTH_MAX = 64
/** About 100 bytes each on the heap: keeps one parse under 100 MiB. */
export const JSON_CONTAINERS_MAX = 1_000_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d
const BRACKET_OPEN = 0x5b
const BRACKET_CLOSE = 0x5d
const BYTE_ORDER_MARK = '\uFEFF'

/** @throws Failure E_BODY_UNREADABLE when the bytes are not JSON in UTF-8 within the bounds. */
export const parseJson = (bytes: Uint8Array): unknown => {
  boundJson(bytes)
  const text = utf8Text(bytes)
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : String(error)
    throw new Failure('E_BODY_UNREADABLE', `not JSON: ${reason.slice(0, 200)}`)
  }
}

/** @throws Failure E_BODY_UNREADABLE when the bytes are not UTF-8. */
export const utf8Text = (bytes: Uint8Array): string => {
  if (!isUtf8(bytes)) throw new Failure('E_BODY_UNREADABLE', 'not UTF-8 text')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

/** What a byte means for the shape of JSON; 0 for nearly all of them. */
const PLAIN = 0
const OPENS = 1
const CLOSES = 2
const QUOTES = 3
const MEANING = new Uint8Array(256)
MEANING[BRACE_OPEN] = MEANING[BRACKET_OPEN] = OPENS
MEANING[BRACE_CLOSE] = MEANING[BRACKET_CLOSE] = CLOSES
MEANING[QUOTE] = QUOTES

const boundJson = (bytes: Uint8Array): void => {
  const { length } = bytes
  let depth = 0
  let containers = 0
  for (let index = 0; index < length; index++) {
    const meaning = MEANING[bytes[index]!]
    if (meaning === PLAIN) continue
    if (meaning === QUOTES) {
      index = endOfString(bytes, index)
    } else if (meaning === CLOSES) {
      depth--
    } else {
      containers++
      if (++depth > JSON_DEPTH_MAX) refuse(`nests deeper than ${JSON_DEPTH_MAX} levels`, index)
    }
  }
  if (containers > JSON_CONTAINERS_MAX) {
    refuse(`holds ${containers} objects and lists, more than ${JSON_CONTAINERS_MAX}`, length)
  }
}

/** Longer strings are looked through natively; shorter ones end before such a call pays. */
const SHORT_STRING = 32

/** Index of the quote that closes the string opened at `start`, or the end of the bytes. */
const endOfString = (bytes: Uint8Array, start: number): number => {
  const { length } = bytes
  const short = Math.min(length, start + SHORT_STRING)
  let index = start + 1
  for (; index < short; index++) {
    const byte = bytes[index]
    if (byte === QUOTE) return index
    if (byte === BACKSLASH) index++
  }
  while (index < length) {
    const quote = bytes.indexOf(QUOTE, index)
    if (quote === -1) return length
    if (!isEscaped(bytes, quote, start)) return quote
    index = quote + 1
  }
  return length
}

/** Whether an odd number of backslashes stands before a quote. */
const isEscaped = (bytes: Uint8Array, quote: number, start: number): boolean => {
  let at = quote - 1
  while (at > start && bytes[at] === BACKSLASH) at--
  return (quote - 1 - at) % 2 === 1
}

const refuse = (what: string, index: number): never => {
  throw new Failure('E_BODY_UNREADABLE', `the JSON ${what} (at byte ${index})`)
}
