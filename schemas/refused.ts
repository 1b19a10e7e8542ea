import { FAILURES, type FailureCode } from './failure.ts'

/**
 * A record of another topic that could not become events, on its way through ours: a mark that no
 * event begins with, the length of what is said about it, that as JSON, and its bytes. Reading one
 * puts it into quarantine with the code and reason that are said.
 */
export type Refused = { code: FailureCode; reason: string; bytes: Uint8Array }

const MARK = Buffer.from('\0tally-refused\0')
const LENGTH_BYTES = 4
/** What quarantine keeps of a record. */
const BYTES_MAX = 65_536
/** A reason is a sentence, not a document. */
const REASON_LENGTH_MAX = 2000

export const encodeRefused = ({ code, reason, bytes }: Refused): Buffer => {
  const said = Buffer.from(JSON.stringify([code, reason.slice(0, REASON_LENGTH_MAX)]))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(said.length)
  return Buffer.concat([MARK, length, said, bytes.subarray(0, BYTES_MAX)])
}

/** Null when the bytes are no refused record. */
export const decodeRefused = (bytes: Uint8Array): Refused | null => {
  const start = MARK.length + LENGTH_BYTES
  if (bytes.length < start || !MARK.equals(bytes.subarray(0, MARK.length))) return null
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(MARK.length)
  try {
    const said: unknown = JSON.parse(Buffer.from(bytes.subarray(start, start + length)).toString())
    const [code, reason] = said as [FailureCode, string]
    if (!Object.hasOwn(FAILURES, code) || typeof reason !== 'string') return null
    return { code, reason, bytes: bytes.subarray(start + length) }
  } catch {
    return null
  }
}
