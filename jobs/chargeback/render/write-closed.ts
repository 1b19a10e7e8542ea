import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Engine } from '../../../services/lake/engine.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import type { Standing } from '../close.ts'
import { manifestText } from '../manifest.ts'
import type { Month } from '../month.ts'
import { statementHtml } from './statement-html.ts'
import { readStatement, statementName } from './statement.ts'

/**
 * Writes a month's statements into a folder: everything together as Parquet and CSV, the charges
 * behind it as Parquet, for each tenant a page that prints well, JSON and CSV, and the manifest.
 * Nothing in them depends on when they were written.
 */
export const writeClosed = async (
  engine: Engine,
  { close, totals }: Standing,
  { month, out }: { month: Month; out: string }
): Promise<void> => {
  const folder = path.join(out, month.name)
  await mkdir(path.join(folder, 'statements'), { recursive: true })
  const at = (name: string): string => path.join(folder, name)
  const all = 'SELECT * FROM temp.statement_lines ORDER BY tenant NULLS LAST, section, item'
  await engine.run(`COPY (${all}) TO ${quoted(at('statements.csv'))} (FORMAT csv, HEADER)`)
  await engine.run(
    `COPY (${asBigint(all)}) TO ${quoted(at('statements.parquet'))} (FORMAT parquet)`
  )
  await engine.run(
    `COPY (SELECT * FROM temp.month_rows ORDER BY ALL) TO ${quoted(at('charges.parquet'))} (FORMAT parquet)`
  )
  const tenants = await engine.rows(
    'SELECT DISTINCT tenant FROM temp.statement_lines ORDER BY tenant'
  )
  for (const row of tenants) {
    const tenant = row['tenant'] as string | null
    const statement = await readStatement(engine, { month, tenant })
    const base = at(path.join('statements', statementName(statement.tenant)))
    await writeFile(`${base}.json`, `${JSON.stringify(statement, null, 2)}\n`)
    await writeFile(`${base}.html`, statementHtml(statement))
    const is = tenant === null ? 'tenant IS NULL' : `tenant = ${quoted(tenant)}`
    const own = `SELECT * FROM temp.statement_lines WHERE ${is} ORDER BY section, item`
    await engine.run(`COPY (${own}) TO ${quoted(`${base}.csv`)} (FORMAT csv, HEADER)`)
    await engine.run(`COPY (${asBigint(own)}) TO ${quoted(`${base}.parquet`)} (FORMAT parquet)`)
  }
  const total = { bill_cents: String(totals.billCents), month: month.name, closed: close !== null }
  await writeFile(
    at('manifest.json'),
    close === null ? `${JSON.stringify(total, null, 2)}\n` : manifestText(close.manifest)
  )
}

/** Parquet has no integer of 128 bits that others read. */
const asBigint = (select: string): string =>
  `SELECT * REPLACE (quantity::BIGINT AS quantity, cost_pico::DECIMAL(38, 0) AS cost_pico,
     cents::BIGINT AS cents, low::BIGINT AS low, high::BIGINT AS high) FROM (${select})`
