import { EVENT_FIELDS, type EventField, type FieldKind } from '../event-fields.ts'

/**
 * The Avro schema of a usage event, generated from the one table of fields: a flat record, since
 * columns are what it becomes. Optional fields are unions with null first and null as default, so
 * that a reader with the field and a writer without it (and the other way round) agree.
 */

export type AvroType =
  | 'null'
  | 'string'
  | 'int'
  | 'long'
  | 'double'
  | 'boolean'
  | { type: 'long'; logicalType: 'timestamp-micros' }
  | { type: 'array'; items: 'string' | 'double' }

export type AvroField = {
  name: string
  type: AvroType | ['null', AvroType]
  default?: null
  doc?: string
}

export type AvroRecord = {
  type: 'record'
  name: string
  namespace?: string
  doc?: string
  fields: AvroField[]
}

const AVRO_TYPES: Readonly<Record<FieldKind, AvroType>> = {
  time: { type: 'long', logicalType: 'timestamp-micros' },
  word: 'string',
  id: 'string',
  json: 'string',
  int: 'int',
  long: 'long',
  double: 'double',
  cost: 'long',
  boolean: 'boolean',
  words: { type: 'array', items: 'string' },
  doubles: { type: 'array', items: 'double' }
}

const avroField = ({ column, kind, required, comment }: EventField): AvroField => {
  const type = AVRO_TYPES[kind]
  return required
    ? { name: column, type, doc: comment }
    : { name: column, type: ['null', type], default: null, doc: comment }
}

/** The schema that this version of the product writes. */
export const EVENT_SCHEMA: AvroRecord = {
  type: 'record',
  name: 'UsageEvent',
  namespace: 'tallystream',
  doc: 'One LLM call, tool call, retrieval, guardrail stage or agent step.',
  fields: EVENT_FIELDS.map(avroField)
}
