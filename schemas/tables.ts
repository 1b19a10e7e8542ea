import { BILL_COLUMNS, CHARGE_COLUMNS, STATEMENT_COLUMNS } from './charges.ts'
import { ENERGY_MEASURED_COLUMNS, METER_READING_COLUMNS } from './energy-columns.ts'
import { EVENT_FIELDS, type FieldKind } from './event-fields.ts'
import { CALL_ID_COLUMNS, DISAGREEMENT_COLUMNS, WITNESS_COLUMNS } from './identity-columns.ts'
import { PREFIX_COLUMNS } from './prefixes.ts'
import { WINDOW_COLUMNS } from './windows.ts'

/**
 * Tables of the lake, with every column's DuckDB type and meaning. Delta schemas, the data
 * dictionary and the views are derived from here.
 */
export type Column = { name: string; type: ColumnType; comment: string }

export type ColumnType =
  | 'VARCHAR'
  | 'VARCHAR[]'
  | 'SMALLINT[]'
  | 'BIGINT'
  | 'INTEGER'
  | 'DOUBLE'
  | 'DOUBLE[]'
  | 'BOOLEAN'
  | 'BLOB'
  | 'TIMESTAMPTZ'
  | 'MAP(SMALLINT, BIGINT)'

export const FIELD_TYPES: Readonly<Record<FieldKind, ColumnType>> = {
  time: 'TIMESTAMPTZ',
  word: 'VARCHAR',
  id: 'VARCHAR',
  int: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  words: 'VARCHAR[]',
  doubles: 'DOUBLE[]',
  json: 'VARCHAR',
  cost: 'BIGINT'
}

/** Where a record lay in the log. */
export const POSITION_COLUMNS: readonly Column[] = [
  { name: 'topic', type: 'VARCHAR', comment: 'Topic of the record.' },
  { name: 'partition', type: 'INTEGER', comment: 'Partition of the record.' },
  { name: 'offset', type: 'BIGINT', comment: 'Offset of the record.' },
  { name: 'append_time', type: 'TIMESTAMPTZ', comment: 'When the log took the record.' }
]

export const EVENT_COLUMNS: readonly Column[] = EVENT_FIELDS.map(({ column, kind, comment }) => ({
  name: column,
  type: FIELD_TYPES[kind],
  comment
}))

/** What the consumer adds to an event. */
export const ENRICHED_COLUMNS: readonly Column[] = [
  {
    name: 'cost_pico',
    type: 'BIGINT',
    comment: 'Metered cost in pico-dollars by the price book; null = unpriced.'
  },
  { name: 'price_id', type: 'VARCHAR', comment: 'Row of the price book that priced the event.' },
  { name: 'energy_low_uj', type: 'BIGINT', comment: 'Energy in microjoules, low end, 80 %.' },
  { name: 'energy_mid_uj', type: 'BIGINT', comment: 'Energy in microjoules, central estimate.' },
  { name: 'energy_high_uj', type: 'BIGINT', comment: 'Energy in microjoules, high end, 80 %.' },
  { name: 'energy_tier', type: 'VARCHAR', comment: 'Method tier of the estimate, E1 to E4.' },
  {
    name: 'energy_version',
    type: 'VARCHAR',
    comment: 'Method and factor file that estimated the row, or found nothing to estimate in it.'
  },
  {
    name: 'witnesses',
    type: 'INTEGER',
    comment:
      'Records of the call in `witnesses` that the row was put together from; null = it alone.'
  },
  { name: 'generation', type: 'VARCHAR', comment: 'Code, schemas, prices, factors behind the row.' }
]

export const EVENT_TABLE_COLUMNS: readonly Column[] = [
  ...POSITION_COLUMNS,
  ...EVENT_COLUMNS,
  ...ENRICHED_COLUMNS
]

export const WINDOW_TABLE_COLUMNS: readonly Column[] = [
  ...WINDOW_COLUMNS.map(({ name, type, comment }) => ({ name, type, comment })),
  { name: 'generation', type: 'VARCHAR', comment: 'Code, schemas, prices, factors behind the row.' }
]

export const PREFIX_TABLE_COLUMNS: readonly Column[] = [
  ...PREFIX_COLUMNS.map(({ name, type, comment }) => ({ name, type, comment })),
  { name: 'generation', type: 'VARCHAR', comment: 'Code, schemas, prices, factors behind the row.' }
]

/** As windows, with histograms as lists of bins. */
export const RAW_WINDOW_TABLE_COLUMNS: readonly Column[] = WINDOW_TABLE_COLUMNS.map((column) =>
  column.type.startsWith('MAP') ? { ...column, type: 'SMALLINT[]' } : column
)

export const RANGE_COLUMNS: readonly Column[] = [
  { name: 'topic', type: 'VARCHAR', comment: 'Topic.' },
  { name: 'partition', type: 'INTEGER', comment: 'Partition.' },
  {
    name: 'incarnation',
    type: 'VARCHAR',
    comment: 'Identity of the topic: changes on recreation.'
  },
  { name: 'first', type: 'BIGINT', comment: 'First offset of the range.' },
  { name: 'next', type: 'BIGINT', comment: 'Offset after the last one of the range.' },
  { name: 'anchor_offset', type: 'BIGINT', comment: 'Offset of the last record; null when none.' },
  { name: 'anchor_crc32c', type: 'BIGINT', comment: 'CRC-32C of that record: the tail anchor.' },
  { name: 'appended_until', type: 'TIMESTAMPTZ', comment: 'Latest append time in the range.' },
  { name: 'watermark', type: 'TIMESTAMPTZ', comment: 'Latest event time, never beyond append.' },
  { name: 'generation', type: 'VARCHAR', comment: 'Code, schemas, prices, factors behind it.' }
]

export const GAP_COLUMNS: readonly Column[] = [
  { name: 'topic', type: 'VARCHAR', comment: 'Topic.' },
  { name: 'partition', type: 'INTEGER', comment: 'Partition.' },
  { name: 'incarnation', type: 'VARCHAR', comment: 'Identity of the topic.' },
  { name: 'first', type: 'BIGINT', comment: 'First offset that is missing.' },
  { name: 'next', type: 'BIGINT', comment: 'Offset after the last missing one.' },
  { name: 'reason', type: 'VARCHAR', comment: 'retention, truncation, recreation or corruption.' },
  { name: 'detail', type: 'VARCHAR', comment: 'What was seen.' },
  { name: 'noticed_after', type: 'TIMESTAMPTZ', comment: 'Append time committed before the gap.' }
]

export const QUARANTINE_COLUMNS: readonly Column[] = [
  ...POSITION_COLUMNS,
  { name: 'code', type: 'VARCHAR', comment: 'Failure code.' },
  { name: 'reason', type: 'VARCHAR', comment: 'What was wrong, with the value seen.' },
  { name: 'bytes', type: 'BLOB', comment: 'The record, at most 64 KiB of it.' },
  { name: 'byte_length', type: 'BIGINT', comment: 'Length of the whole record.' }
]

export const CONFLICT_COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'TIMESTAMPTZ', comment: 'Hour that was settled.' },
  { name: 'tenant', type: 'VARCHAR', comment: 'Part of the dedupe key.' },
  { name: 'source', type: 'VARCHAR', comment: 'Part of the dedupe key.' },
  { name: 'id', type: 'VARCHAR', comment: 'Part of the dedupe key.' },
  { name: 'kept_content_hash', type: 'BIGINT', comment: 'Content that counts.' },
  { name: 'dropped_content_hash', type: 'BIGINT', comment: 'Content that was left out.' },
  { name: 'topic', type: 'VARCHAR', comment: 'Topic of the record left out.' },
  { name: 'partition', type: 'INTEGER', comment: 'Partition of the record left out.' },
  { name: 'offset', type: 'BIGINT', comment: 'Offset of the record left out.' }
]

export const EVENT_ID_COLUMNS: readonly Column[] = [
  { name: 'hour', type: 'TIMESTAMPTZ', comment: 'Settled hour that keeps the event.' },
  { name: 'key_hash', type: 'BIGINT', comment: 'Hash of tenant, source and id.' },
  { name: 'append_time', type: 'TIMESTAMPTZ', comment: 'When the log took the record.' },
  { name: 'partition', type: 'INTEGER', comment: 'Partition of the record.' },
  { name: 'offset', type: 'BIGINT', comment: 'Offset of the record.' }
]

export const FINDING_COLUMNS: readonly Column[] = [
  {
    name: 'sequence',
    type: 'BIGINT',
    comment: 'Place among all findings and actions: 1, 2, 3 … without holes.'
  },
  { name: 'signal', type: 'VARCHAR', comment: 'Signal that found it.' },
  { name: 'fingerprint', type: 'VARCHAR', comment: 'Stable identity of the incident.' },
  { name: 'status', type: 'VARCHAR', comment: 'firing or resolved.' },
  { name: 'severity', type: 'VARCHAR', comment: 'info, warning or critical.' },
  { name: 'tenant', type: 'VARCHAR', comment: 'Whom it concerns; null = the fleet.' },
  { name: 'axis', type: 'VARCHAR', comment: 'model, prompt, retrieval, tool, provider, client.' },
  { name: 'started_at', type: 'TIMESTAMPTZ', comment: 'Estimated change point.' },
  { name: 'detected_at', type: 'TIMESTAMPTZ', comment: 'End of the window that decided.' },
  { name: 'summary', type: 'VARCHAR', comment: 'One sentence with figures.' },
  { name: 'cost_usd_per_hour', type: 'VARCHAR', comment: 'Decimal string; null = not priced.' },
  { name: 'finding', type: 'VARCHAR', comment: 'The whole finding as JSON.' },
  { name: 'generation', type: 'VARCHAR', comment: 'Code, schemas, prices, factors behind it.' }
]

export const INCIDENT_ACTION_COLUMNS: readonly Column[] = [
  {
    name: 'sequence',
    type: 'BIGINT',
    comment: 'Place among all findings and actions: 1, 2, 3 … without holes.'
  },
  { name: 'at', type: 'TIMESTAMPTZ', comment: 'When it was done.' },
  { name: 'by', type: 'VARCHAR', comment: 'Who did it.' },
  { name: 'note', type: 'VARCHAR', comment: 'Why.' },
  { name: 'action', type: 'VARCHAR', comment: 'acknowledge, mute or unmute.' },
  { name: 'fingerprint', type: 'VARCHAR', comment: 'Incident concerned; null = any.' },
  { name: 'tenant', type: 'VARCHAR', comment: 'Tenant concerned; null = any.' },
  { name: 'signal', type: 'VARCHAR', comment: 'Signal concerned; null = any.' },
  { name: 'until', type: 'TIMESTAMPTZ', comment: 'End of a mute.' }
]

export const OUTBOX_COLUMNS: readonly Column[] = [
  { name: 'number', type: 'BIGINT', comment: 'Place in the outbox: 1, 2, 3 … without holes.' },
  { name: 'id', type: 'VARCHAR', comment: 'Stable identity; receivers tell a repeat by it.' },
  { name: 'at', type: 'TIMESTAMPTZ', comment: 'When it was written down.' },
  {
    name: 'kind',
    type: 'VARCHAR',
    comment: 'opened, reopened, updated, acknowledged or resolved.'
  },
  {
    name: 'withheld',
    type: 'VARCHAR',
    comment: 'muted, inhibited or budget: why it is not sent; null = it is sent.'
  },
  { name: 'fingerprint', type: 'VARCHAR', comment: 'Incident concerned.' },
  { name: 'episode', type: 'INTEGER', comment: 'How many times the incident opened.' },
  { name: 'sequence', type: 'BIGINT', comment: 'Finding that says how the incident stands.' },
  { name: 'signal', type: 'VARCHAR', comment: 'Signal that found it.' },
  { name: 'tenant', type: 'VARCHAR', comment: 'Whom it concerns; null = the fleet.' },
  { name: 'severity', type: 'VARCHAR', comment: 'info, warning or critical.' }
]

export const FOLD_STATE_COLUMNS: readonly Column[] = [
  { name: 'signal', type: 'VARCHAR', comment: 'Signal whose fold it is.' },
  { name: 'folded_until', type: 'TIMESTAMPTZ', comment: 'All minutes before it are folded.' },
  { name: 'bytes', type: 'BLOB', comment: 'What the fold remembers, in its own encoding.' },
  {
    name: 'part',
    type: 'INTEGER',
    comment: 'Place of these bytes among those of the signal, from 0.'
  }
]

/** Every table of the lake by name. `ranges` decides; the others follow it. */
export const TABLES = {
  ranges: RANGE_COLUMNS,
  events_raw: EVENT_TABLE_COLUMNS,
  windows_raw: RAW_WINDOW_TABLE_COLUMNS,
  prefixes_raw: PREFIX_TABLE_COLUMNS,
  events_settled: EVENT_TABLE_COLUMNS,
  windows_settled: WINDOW_TABLE_COLUMNS,
  prefixes_settled: PREFIX_TABLE_COLUMNS,
  event_ids: EVENT_ID_COLUMNS,
  call_ids: CALL_ID_COLUMNS,
  witnesses: [...WITNESS_COLUMNS, ...POSITION_COLUMNS, ...EVENT_COLUMNS],
  disagreements: DISAGREEMENT_COLUMNS,
  gaps: GAP_COLUMNS,
  quarantine: QUARANTINE_COLUMNS,
  conflicts: CONFLICT_COLUMNS,
  findings: FINDING_COLUMNS,
  fold_states: FOLD_STATE_COLUMNS,
  incident_actions: INCIDENT_ACTION_COLUMNS,
  outbox: OUTBOX_COLUMNS,
  charges: CHARGE_COLUMNS,
  statements: STATEMENT_COLUMNS,
  bills: BILL_COLUMNS,
  meter_readings: METER_READING_COLUMNS,
  energy_measured: ENERGY_MEASURED_COLUMNS
} as const satisfies Record<string, readonly Column[]>

export type TableName = keyof typeof TABLES
