import type { Engine } from '../../services/lake/engine.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { isPricedSql, linesSql } from './lines-sql.ts'
import {
  loadCombinations,
  loadPrices,
  priceOn,
  priceSteps,
  SAME_COMBINATION,
  type Combination
} from './price-table.ts'
import { addSubInferences } from './sub-inferences.ts'
import { addUnits } from './units.ts'
import { HAS_ITERATIONS, usageSql, type Grouping } from './usage-sql.ts'
import { DAY_MS } from './month.ts'

/** What prices a charge: the book with negotiated prices on top, and the public list alone. */
export type Books = { contracted: PriceBook; list: PriceBook }

export type LineOptions = { books: Books; tags: readonly string[] }

/**
 * Table `fresh`: the charge lines of the settled events of some days, oldest first, as they are
 * known now. The views of the lake must be attached with the files of those days alone.
 */
export const dayLines = async (
  engine: Engine,
  daysMs: readonly number[],
  { books, tags }: LineOptions
): Promise<void> => {
  const span = { fromMs: daysMs[0] ?? 0, toMs: (daysMs.at(-1) ?? 0) + DAY_MS }
  const combinations = await loadCombinations(engine)
  const steps = priceSteps([books.contracted, books.list], combinations, span)
  const grouping: Grouping = { steps, tags, hasIterations: await hasIterations(engine) }
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE usage AS ${usageSql('temp.events_settled', grouping)}`
  )
  await loadBoth(engine, { books, combinations, span })
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE groups AS
     SELECT u.*, c.row_number AS c_row, l.row_number AS l_row,
       ${isPricedSql('c')} AS c_priced, ${isPricedSql('l')} AS l_priced FROM
       (SELECT u.*, k.combo, k.tier FROM temp.usage u JOIN temp.combos k ON ${SAME_COMBINATION}) u
     LEFT JOIN temp.contracted_prices c ON ${priceOn('c')}
     LEFT JOIN temp.list_prices l ON ${priceOn('l')}`
  )
  await engine.run(`CREATE OR REPLACE TEMP TABLE fresh AS ${linesSql()}`)
  const exceptions = { books, combinations, grouping }
  await addUnits(engine, exceptions)
  if (grouping.hasIterations) await addSubInferences(engine, exceptions)
}

const hasIterations = async (engine: Engine): Promise<boolean> => {
  const rows = await engine.rows(
    `SELECT 1 FROM temp.events_settled e WHERE ${HAS_ITERATIONS} LIMIT 1`
  )
  return rows.length > 0
}

export type Exceptions = { books: Books; combinations: readonly Combination[]; grouping: Grouping }

const loadBoth = async (
  engine: Engine,
  {
    books,
    ...options
  }: Pick<Exceptions, 'books' | 'combinations'> & { span: { fromMs: number; toMs: number } }
): Promise<void> => {
  await loadPrices(engine, 'contracted_prices', { book: books.contracted, ...options })
  await loadPrices(engine, 'list_prices', { book: books.list, ...options })
}
