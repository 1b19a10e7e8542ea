import { findSchema } from '../../../schemas/avro/history.ts'
import { PREFIX_BYTES } from '../../../schemas/avro/fingerprint.ts'
import { EVENT_BYTES_MAX } from '../../../schemas/event.ts'
import { EVENT_FIELDS, type EventField } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import { resolveAvro, type AvroNode } from './avro-type.ts'
import type { MappedField } from './event-batch.ts'

/** How the values of a topic become events: which schema a message has, which field fills what. */
export type MessageFormat = {
  fields: readonly MappedField[]
  /** Bytes before the record's body. */
  prefixBytes: number
  /**
   * The schema of the message in `[start, end)`.
   * @throws Failure E_SCHEMA_UNKNOWN, E_RECORD_UNREADABLE, E_EVENT_INVALID
   */
  schemaOf: (bytes: Uint8Array, start: number, end: number) => AvroNode
}

/** Our own events: Avro single-object encoding, any version of the schema that was ever released. */
export const nativeFormat = (): MessageFormat => {
  const known = new Map<string, AvroNode>()
  // Neighbours nearly always share a schema: the last fingerprint is compared byte by byte.
  let last: { prefix: Uint8Array; node: AvroNode } | null = null
  return {
    fields: EVENT_FIELDS.map((field) => ({ ...field, from: field.column })),
    prefixBytes: PREFIX_BYTES,
    schemaOf: (bytes, start, end) => {
      if (end - start < PREFIX_BYTES) {
        throw new Failure('E_RECORD_UNREADABLE', `a message of ${end - start} bytes is no event`)
      }
      if (last === null || !startsWith(bytes, start, last.prefix)) {
        const prefix = bytes.slice(start, start + PREFIX_BYTES)
        last = { prefix, node: findNode(prefix, known) }
      }
      if (end - start > EVENT_BYTES_MAX) {
        throw new Failure('E_EVENT_INVALID', `${end - start} bytes, over ${EVENT_BYTES_MAX}`)
      }
      return last.node
    }
  }
}

/** Somebody else's Avro records, all of one schema, with what fills our fields. */
export type ForeignFormat = {
  schema: unknown
  /** Bytes before each record's body, such as a registry's prefix; they are not looked at. */
  prefixBytes: number
  /** Path in their schema by our column. */
  columns: Readonly<Record<string, string>>
  /** The same value for every event, by our column of words. */
  fixed: Readonly<Record<string, string>>
}

/** A topic may bring costs along that its own gateway worked out. */
const GIVEN_COST: EventField = {
  path: 'cost_pico',
  column: 'cost_pico',
  kind: 'cost',
  comment: 'Cost in pico-dollars as the topic gives it.'
}

export const foreignFormat = (format: ForeignFormat): MessageFormat => {
  const node = resolveAvro(format.schema)
  const fields = [...EVENT_FIELDS, GIVEN_COST].flatMap((field): MappedField[] => {
    const from = format.columns[field.column]
    const fixed = format.fixed[field.column]
    if (from !== undefined) return [{ ...field, from }]
    return fixed === undefined ? [] : [{ ...field, fixed }]
  })
  return { fields, prefixBytes: format.prefixBytes, schemaOf: () => node }
}

const startsWith = (bytes: Uint8Array, start: number, prefix: Uint8Array): boolean => {
  for (let index = 0; index < PREFIX_BYTES; index++) {
    if (bytes[start + index] !== prefix[index]) return false
  }
  return true
}

const findNode = (prefix: Uint8Array, known: Map<string, AvroNode>): AvroNode => {
  const hex = Buffer.from(prefix).toString('hex')
  if (prefix[0] !== 0xc3 || prefix[1] !== 0x01) {
    throw new Failure('E_RECORD_UNREADABLE', `begins with ${hex.slice(0, 4)}, not with c301`)
  }
  const node = known.get(hex)
  if (node !== undefined) return node
  const found = findSchema(Buffer.from(prefix).readBigUInt64LE(2))
  if (found === undefined) {
    throw new Failure('E_SCHEMA_UNKNOWN', `schema fingerprint ${hex.slice(4)} is not known`, {
      hint: 'A newer producer wrote it: upgrade the consumer and replay the record.'
    })
  }
  const resolved = resolveAvro(found.schema)
  known.set(hex, resolved)
  return resolved
}
