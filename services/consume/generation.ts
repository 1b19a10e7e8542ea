import { createHash } from 'node:crypto'
import { KNOWN_SCHEMAS } from '../../schemas/avro/history.ts'
import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { TABLES } from '../../schemas/tables.ts'
import { WINDOW_COLUMNS } from '../../schemas/windows.ts'
import { Engine } from '../lake/engine.ts'
import { PARQUET_OPTIONS } from '../lake/land-table.ts'
import { energyVersion } from '../rates/energy/estimate.ts'
import type { PriceBook } from '../rates/prices/book.ts'
import { landings } from './landing.ts'

/** Hexadecimal digits of the hash that stand for a generation: 48 bits, a few live at a time. */
const DIGITS = 12
/** How rows reach the engine, which cuts its row groups by that: another way makes other bytes. */
const HANDED_OVER = 'held columns, partition by partition'

/**
 * Identity of everything but the records that decides a landed row: schemas, table definitions,
 * SQL, the way of rows to the engine, the price book, the energy factors and DuckDB's version.
 */
export const generationOf = (prices: PriceBook): string => {
  const parts = [
    Engine.version,
    PARQUET_OPTIONS,
    HANDED_OVER,
    KNOWN_SCHEMAS.map(({ fingerprint }) => String(fingerprint)),
    TABLES,
    WINDOW_COLUMNS,
    landings('', new Set(EVENT_FIELDS.map(({ column }) => column))),
    prices.version,
    energyVersion()
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, DIGITS)
}
