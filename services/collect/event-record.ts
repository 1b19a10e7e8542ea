import { encodeEvent } from '../../schemas/avro/encode-event.ts'
import { flattenEvent, type EventRow } from '../../schemas/avro/flatten-event.ts'
import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { COUNT_MAX, type UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import type { OutRecord } from '../stream/log.ts'
import { fillUsage } from './event-usage.ts'

/** A usage block has at most a few KiB (measured: 4 KiB with iterations); beyond it is content. */
const USAGE_LENGTH_MAX = 32 * 1024
/** Labels are for slicing a bill: more than this is a document. */
const TAGS_LENGTH_MAX = 16 * 1024

/**
 * The record that a checked event becomes in the log. The key is the trace, so that the steps of
 * one operation share a partition and no tenant makes a hot one.
 * @throws Failure E_EVENT_INVALID when the event is too large, or a count that was read or summed is.
 */
export const eventRecord = (event: UsageEvent): OutRecord => ({
  key: event.trace_id ?? event.id,
  value: encodeEvent(eventRow(event))
})

/** The row that a checked event becomes: its columns, with usage read into buckets. */
export const eventRow = (event: UsageEvent): EventRow => {
  const row = flattenEvent(event)
  fillUsage(row, event)
  boundCounts(row)
  boundText('usage', row['usage'], USAGE_LENGTH_MAX)
  boundText('tags', row['tags'], TAGS_LENGTH_MAX)
  return row
}

const COUNTS = EVENT_FIELDS.filter(({ kind }) => kind === 'int' || kind === 'long').map(
  ({ column }) => column
)

/** Counts that a block tells as text, and sums: nothing before bounds them, and a consumer refuses. */
const boundCounts = (row: EventRow): void => {
  for (const column of COUNTS) {
    const value = row[column]
    if (typeof value !== 'number' || value <= COUNT_MAX) continue
    throw new Failure('E_EVENT_INVALID', `${column} is ${value}, above ${COUNT_MAX}`)
  }
}

const boundText = (field: string, value: unknown, lengthMax: number): void => {
  if (typeof value !== 'string' || value.length <= lengthMax) return
  throw new Failure('E_EVENT_INVALID', `${field} has ${value.length} characters as JSON`, {
    hint: `Keep ${field} below ${lengthMax} characters; content does not belong in a meter.`
  })
}
