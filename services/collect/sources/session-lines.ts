import { Failure } from '../../../schemas/failure.ts'
import { faultAt, type Fault } from '../fault.ts'
import { isJsonObject, type JsonObject } from '../json-value.ts'
import { parseJson } from '../json-text.ts'
import { splitLines } from '../lines.ts'

/** A line of a session's transcript. */
export type SessionLine = { number: number; value: JsonObject }

/**
 * The lines of a transcript; what is no JSON object is a fault, except a last line without its
 * end, which is still being written.
 */
export const sessionLines = (bytes: Uint8Array): { lines: SessionLine[]; faults: Fault[] } => {
  const lines: SessionLine[] = []
  const faults: Fault[] = []
  for (const { number, bytes: line } of splitLines(bytes)) {
    try {
      const value = parseJson(line)
      if (!isJsonObject(value)) throw new Failure('E_EVENT_INVALID', 'not a JSON object')
      lines.push({ number, value })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const place = { index: number, at: `line ${number}` }
      faults.push(faultAt(place, { code: error.code, message: error.message }))
    }
  }
  return { lines, faults }
}
