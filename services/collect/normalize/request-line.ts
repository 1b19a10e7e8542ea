import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { LINE_BYTES_MAX, type ByteLine } from './byte-lines.ts'
import { parseJson } from './json.ts'
import type { NormalizeInput } from './normalize.ts'

/** Longest name that a column takes. */
const NAME_LENGTH_MAX = 1024

const name = z.string().max(NAME_LENGTH_MAX).nullable().default(null)

/** One line of `tally normalize --ndjson`: what is known of a body, and the body. */
const RequestLine = z.object({
  provider: name,
  api: name,
  model: name,
  emitter: name,
  status: z.int().min(0).max(999).nullable().default(null),
  headers: z.record(z.string(), z.unknown()).nullable().default(null),
  body: z.unknown()
})

/** Reads one line. Throws a Failure E_BODY_UNREADABLE that names what is wrong with it. */
export const readRequestLine = (line: ByteLine): NormalizeInput => {
  const value = parseJson(decode(line))
  if (value === undefined) throw unreadable('the line is not JSON')
  if (!hasBody(value)) throw unreadable('the line has no "body"')
  const parsed = RequestLine.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw unreadable(`${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'invalid'}`)
  }
  return parsed.data
}

const hasBody = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.hasOwn(value, 'body')

/** Text of bytes; invalid UTF-8 is refused and not repaired. */
export const decode = (line: ByteLine): string => {
  if (line === null) throw unreadable(`the line is longer than ${LINE_BYTES_MAX} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(line)
  } catch {
    throw unreadable('the line is not UTF-8')
  }
}

const unreadable = (message: string): Failure =>
  new Failure('E_BODY_UNREADABLE', message, {
    hint: 'A line is {"provider", "api", "model", "body"}; all but the body may be null.'
  })
