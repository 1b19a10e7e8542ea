const NEWLINE = 0x0a

/** Longest line that is held: the largest recorded response has 0.3 MB. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024

/** A line as bytes; null where it is longer than any that is held. */
export type ByteLine = Uint8Array | null

/**
 * Cuts a stream of bytes at newlines and nowhere else: `node:readline` would also cut at U+2028,
 * which JSON strings may hold. A last line without its end counts; the empty rest does not.
 */
export async function* byteLines(stream: AsyncIterable<unknown>): AsyncGenerator<ByteLine> {
  let pieces: Uint8Array[] = []
  let length = 0
  const take = (): ByteLine => {
    const line = length > LINE_BYTES_MAX ? null : Buffer.concat(pieces)
    pieces = []
    length = 0
    return line
  }
  const keep = (piece: Uint8Array): void => {
    length += piece.length
    if (length <= LINE_BYTES_MAX) pieces.push(piece)
    else pieces = []
  }
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array)
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      keep(bytes.subarray(start, end))
      yield take()
      start = end + 1
    }
    if (start < bytes.length) keep(bytes.subarray(start))
  }
  if (length > 0) yield take()
}
