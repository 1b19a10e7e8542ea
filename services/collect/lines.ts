const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/** A line without its end; `number` counts from 1 and includes the empty ones. */
export type Line = { number: number; bytes: Uint8Array }

/** The lines of a text that are not blank, as views into it. */
export function* splitLines(bytes: Uint8Array): Generator<Line> {
  let number = 0
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline === -1 ? bytes.length : newline
    const line = trimEnd(bytes.subarray(start, end))
    number++
    if (!isBlank(line)) yield { number, bytes: line }
    start = end + 1
  }
}

/** Drops the carriage return of a line that ends the Windows way. */
export const trimEnd = (line: Uint8Array): Uint8Array =>
  line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line

/** Whether a line has nothing but spaces and tabs. */
export const isBlank = (line: Uint8Array): boolean =>
  line.every((byte) => byte === 0x20 || byte === 0x09)
