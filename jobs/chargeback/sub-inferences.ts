import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { priceUsage, type Iteration } from '../../services/rates/prices/usage.ts'
import type { Exceptions } from './day-lines.ts'
import { lineSql, OF_GROUP } from './lines-sql.ts'
import { SAME_COMBINATION, type Combination } from './price-table.ts'
import { groupKeysSql, HAS_ITERATIONS, IS_CHARGED } from './usage-sql.ts'

/**
 * Adds responses that several models took part in to `fresh`: each sub-inference at its own
 * model's price, one line for equal responses. They are rare, so they are priced one by one.
 */
export const addSubInferences = async (engine: Engine, options: Exceptions): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE sub_inferences AS
    SELECT u.*, k.combo, k.tier, row_number() OVER () AS number FROM (
      SELECT ${groupKeysSql(options.grouping)}, e.iterations, count(*)::BIGINT AS responses
      FROM temp.events_settled e WHERE ${HAS_ITERATIONS} AND ${IS_CHARGED} GROUP BY ALL) u
    JOIN temp.combos k ON ${SAME_COMBINATION}`)
  const rows = await engine.rows(
    'SELECT number, combo, epoch_ms(slot) AS slot_ms, iterations FROM temp.sub_inferences'
  )
  if (rows.length === 0) return
  const prices = rows.map((row) => {
    const asked = {
      combination: options.combinations[Number(row['combo'])],
      slotMs: Number(row['slot_ms']),
      iterations: JSON.parse(String(row['iterations'])) as Iteration[]
    }
    const own = costOf(options.books.contracted, asked)
    const list = costOf(options.books.list, asked)
    const id = own.id === null ? 'NULL::VARCHAR' : quoted(own.id)
    return `(${String(row['number'])}, ${id}, ${own.pico ?? 'NULL::BIGINT'}, ${list.pico ?? 'NULL::BIGINT'})`
  })
  await engine.run(
    `INSERT INTO fresh ${lineSql(
      LINE,
      `FROM temp.sub_inferences u JOIN (VALUES ${prices.join(', ')})
      AS p(number, price_id, pico, list_pico) ON p.number = u.number`
    )}`
  )
}

const LINE: Readonly<Record<string, string>> = {
  ...OF_GROUP,
  meter: "'sub_inferences'",
  price_id: 'p.price_id',
  list_unit_pico: 'p.list_pico',
  unit_pico: 'p.pico',
  quantity: 'u.responses',
  list_pico: 'u.responses * p.list_pico',
  contracted_pico: 'u.responses * p.pico',
  billed_pico: 'u.responses * p.pico'
}

type Asked = { combination: Combination | undefined; slotMs: number; iterations: Iteration[] }

const costOf = (
  book: PriceBook,
  { combination, slotMs, iterations }: Asked
): { id: string | null; pico: bigint | null } => {
  const { costPico, priceId } = priceUsage(book, {
    ...combination?.query,
    tokens: {},
    iterations,
    timeMs: slotMs
  })
  return { id: costPico === null ? null : priceId, pico: costPico }
}
