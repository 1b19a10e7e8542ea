import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { rememberedPriceAt } from '../../services/rates/prices/price-memo.ts'
import { unitPico } from '../../services/rates/prices/usage.ts'
import type { Exceptions } from './day-lines.ts'
import { lineSql, OF_GROUP } from './lines-sql.ts'
import { SAME_COMBINATION, type Combination } from './price-table.ts'
import { groupKeysSql, IS_CHARGED } from './usage-sql.ts'

/** Adds searches, pages and other pieces of the day to `fresh`. */
export const addUnits = async (engine: Engine, options: Exceptions): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE unit_usage AS
    SELECT u.*, k.combo, k.tier FROM (
      SELECT ${groupKeysSql(options.grouping)}, e.piece.key AS unit, sum(e.piece.value)::BIGINT AS pieces
      FROM (SELECT e.*, unnest(map_entries(e.units::JSON::MAP(VARCHAR, BIGINT))) AS piece
            FROM temp.events_settled e WHERE e.units IS NOT NULL AND ${IS_CHARGED}) e
      WHERE e.piece.value > 0 GROUP BY ALL) u
    JOIN temp.combos k ON ${SAME_COMBINATION}`)
  const prices = await unitPrices(engine, options)
  if (prices.length === 0) return
  await engine.run(
    `INSERT INTO fresh ${lineSql(
      LINE,
      `FROM temp.unit_usage u JOIN (VALUES ${prices.join(', ')})
      AS p(combo, slot_us, unit, price_id, pico, list_pico)
      ON p.combo = u.combo AND p.slot_us = epoch_us(u.slot) AND p.unit = u.unit`
    )}`
  )
}

const LINE: Readonly<Record<string, string>> = {
  ...OF_GROUP,
  meter: "'unit:' || u.unit",
  price_id: 'p.price_id',
  list_unit_pico: 'p.list_pico',
  unit_pico: 'p.pico',
  quantity: 'u.pieces',
  list_pico: 'u.pieces * p.list_pico',
  contracted_pico: 'u.pieces * p.pico',
  billed_pico: 'u.pieces * p.pico'
}

type Asked = { combination: Combination; slotMs: number; unit: string }

/** SQL rows of prices for the pieces that are charged for, or have no price. */
const unitPrices = async (
  engine: Engine,
  { books, combinations }: Exceptions
): Promise<string[]> => {
  const rows = await engine.rows(
    'SELECT DISTINCT combo, epoch_ms(slot) AS slot_ms, unit FROM temp.unit_usage ORDER BY ALL'
  )
  return rows.flatMap((row) => {
    const combination = combinations[Number(row['combo'])]
    if (combination === undefined) return []
    const asked = { combination, slotMs: Number(row['slot_ms']), unit: String(row['unit']) }
    const own = priceOf(books.contracted, asked)
    if (own === 'free') return []
    const list = priceOf(books.list, asked)
    const listPico = list === 'free' ? null : list.pico
    const id = own.pico === null ? null : own.id
    const values = [combination.id, asked.slotMs * 1000, quoted(asked.unit)]
    return [
      `(${values.join(', ')}, ${id === null ? 'NULL::VARCHAR' : quoted(id)}, ${own.pico ?? 'NULL::BIGINT'}, ${listPico ?? 'NULL::BIGINT'})`
    ]
  })
}

const priceOf = (
  book: PriceBook,
  { combination, slotMs, unit }: Asked
): { id: string; pico: number | null } | 'free' => {
  const { bands } = rememberedPriceAt(book, combination.query, slotMs)
  const [price] = bands ?? []
  if (price === undefined) return { id: '', pico: null }
  const pico = unitPico(price, unit)
  return pico === 'free' ? 'free' : { id: price.id, pico }
}
