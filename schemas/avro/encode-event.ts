import avro from 'avsc'
import { Failure } from '../failure.ts'
import { EVENT_SCHEMA } from './event-schema.ts'
import type { EventRow } from './flatten-event.ts'
import { messagePrefix } from './fingerprint.ts'

/** Room for a message on the first try; typical events have 300 to 900 bytes. */
const SCRATCH_BYTES = 64 * 1024
/** Bounds one event, well under the largest record that a log takes (1 MiB). */
export const EVENT_BYTES_MAX = 768 * 1024

const type = avro.Type.forSchema(EVENT_SCHEMA as avro.Schema)
const prefix = messagePrefix(EVENT_SCHEMA)

/** Reused for every message, since encoding is synchronous; it grows with the largest event. */
let scratch = Buffer.alloc(0)

const growScratch = (bytes: number): void => {
  scratch = Buffer.allocUnsafeSlow(bytes)
  prefix.copy(scratch)
}
growScratch(SCRATCH_BYTES)

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 64)

/** Names the first column that does not fit, which the encoder itself does not say. */
const misfit = (row: EventRow, cause: unknown): Failure => {
  let message = 'the event does not fit the schema'
  type.isValid(row, {
    errorHook: (path: string[], value: unknown, expected: unknown) => {
      message = `${path[0]} is ${shown(value)}, not ${shown(expected)}`
    }
  })
  return new Failure('E_EVENT_INVALID', message, { cause })
}

const encodeInto = (row: EventRow): number => {
  try {
    return type.encode(row, scratch, prefix.length)
  } catch (cause) {
    throw misfit(row, cause)
  }
}

/**
 * One message in Avro's single-object encoding from a flat row (see `flattenEvent`).
 * @throws Failure E_EVENT_INVALID when a value does not fit its column or the event is too large.
 */
export const encodeEvent = (row: EventRow): Buffer => {
  let end = encodeInto(row)
  if (end < 0) {
    // A negative position says how many bytes were missing.
    const needed = scratch.length - end
    if (needed > EVENT_BYTES_MAX) {
      throw new Failure('E_EVENT_INVALID', `the event has ${needed} bytes`, {
        hint: `Keep events below ${EVENT_BYTES_MAX} bytes; send hashes instead of content.`
      })
    }
    growScratch(needed)
    end = encodeInto(row)
  }
  return Buffer.from(scratch.subarray(0, end))
}
