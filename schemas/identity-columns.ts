import type { Column } from './tables.ts'

/**
 * Tables by which settling knows one call under the names that several emitters gave it: see
 * `jobs/settle/identity/`. Each has one file for a settled hour, replaced with the hour.
 */

/** Where a record stands among the witnesses of a call; the record itself follows. */
export const WITNESS_COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'TIMESTAMPTZ', comment: 'Settled hour of the record.' },
  { name: 'call_source', type: 'VARCHAR', comment: 'Source of the row of `events` it is part of.' },
  { name: 'call_id', type: 'VARCHAR', comment: 'Id of the row of `events` it is part of.' },
  { name: 'family_hash', type: 'VARCHAR', comment: 'All records that were weighed together.' }
]

export const CALL_ID_COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'TIMESTAMPTZ', comment: 'Settled hour that keeps the record.' },
  { name: 'key_hash', type: 'BIGINT', comment: 'Hash of an id by which a call can be known.' },
  {
    name: 'refers',
    type: 'BOOLEAN',
    comment: 'Whether the id names another record: parent, link.'
  },
  { name: 'near', type: 'BOOLEAN', comment: 'Whether the id means nothing a day later.' },
  { name: 'append_time', type: 'TIMESTAMPTZ', comment: 'When the log took the record.' },
  { name: 'partition', type: 'INTEGER', comment: 'Partition of the record.' },
  { name: 'offset', type: 'BIGINT', comment: 'Offset of the record.' }
]

export const DISAGREEMENT_COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'TIMESTAMPTZ', comment: 'Settled hour of the call.' },
  { name: 'tenant', type: 'VARCHAR', comment: 'Tenant of the call.' },
  { name: 'source', type: 'VARCHAR', comment: 'Source of the row of `events`.' },
  { name: 'id', type: 'VARCHAR', comment: 'Id of the row of `events`.' },
  {
    name: 'kind',
    type: 'VARCHAR',
    comment:
      'value: a witness tells another one; not_merged: an id that calls share and that proves nothing.'
  },
  { name: 'field', type: 'VARCHAR', comment: 'Column that they differ in, or the shared id.' },
  { name: 'kept_value', type: 'VARCHAR', comment: 'Value that counts.' },
  { name: 'other_value', type: 'VARCHAR', comment: 'Value of the other witness.' },
  { name: 'other_source', type: 'VARCHAR', comment: 'Source of the other witness.' },
  { name: 'other_id', type: 'VARCHAR', comment: 'Id of the other witness.' }
]
