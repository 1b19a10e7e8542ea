import { utf8Text } from '../json-text.ts'
import { splitLines } from '../lines.ts'

/** Lines of a log as text, with their numbers; bytes that are not UTF-8 make an unreadable log. */
export function* logLines(bytes: Uint8Array): Generator<{ number: number; text: string }> {
  for (const line of splitLines(bytes)) yield { number: line.number, text: utf8Text(line.bytes) }
}
