import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Engine } from '../../../services/lake/engine.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import type { Standing } from '../close.ts'
import { manifestText } from '../manifest.ts'
import type { Month } from '../month.ts'
import { writeWhole } from '../whole-file.ts'
import { statementHtml } from './statement-html.ts'
import { readStatement, statementName } from './statement.ts'

/**
 * Writes a month's statements into a folder: everything together as Parquet and CSV, the charges
 * behind it as Parquet, for each tenant a page that prints well, JSON and CSV, and last the
 * manifest. Nothing in them depends on when they were written, and each file is whole or not
 * there. A month that is open has a folder of its own, written anew each time and without a
 * manifest, so that a draft never stands beside statements that are due.
 * @returns the folder.
 */
export const writeClosed = async (
  engine: Engine,
  { close }: Standing,
  { month, out }: { month: Month; out: string }
): Promise<string> => {
  const folder = path.join(out, close === null ? `${month.name}-draft` : month.name)
  if (close === null) await rm(folder, { recursive: true, force: true })
  await mkdir(path.join(folder, 'statements'), { recursive: true })
  const at = (name: string): string => path.join(folder, name)
  const all = 'SELECT * FROM temp.statement_lines ORDER BY tenant NULLS LAST, section, item'
  await copy(engine, all, at('statements.csv'))
  await copy(engine, asBigint(all), at('statements.parquet'))
  await copy(engine, 'SELECT * FROM temp.month_rows ORDER BY ALL', at('charges.parquet'))
  const tenants = await engine.rows(
    'SELECT DISTINCT tenant FROM temp.statement_lines ORDER BY tenant'
  )
  for (const row of tenants) {
    const tenant = row['tenant'] as string | null
    const base = at(path.join('statements', statementName(tenant)))
    await writeStatement(engine, { month, tenant, isClosed: close !== null, base })
  }
  if (close !== null) await writeText(at('manifest.json'), manifestText(close.manifest))
  return folder
}

type StatementFiles = { month: Month; tenant: string | null; isClosed: boolean; base: string }

const writeStatement = async (engine: Engine, { base, ...of }: StatementFiles): Promise<void> => {
  const statement = await readStatement(engine, of)
  await writeText(`${base}.json`, `${JSON.stringify(statement, null, 2)}\n`)
  await writeText(`${base}.html`, statementHtml(statement))
  const is = of.tenant === null ? 'tenant IS NULL' : `tenant = ${quoted(of.tenant)}`
  const own = `SELECT * FROM temp.statement_lines WHERE ${is} ORDER BY section, item`
  await copy(engine, own, `${base}.csv`)
  await copy(engine, asBigint(own), `${base}.parquet`)
}

const writeText = (file: string, text: string): Promise<void> =>
  writeWhole(file, (unfinished) => writeFile(unfinished, text))

const copy = (engine: Engine, select: string, file: string): Promise<void> => {
  const format = file.endsWith('.csv') ? 'FORMAT csv, HEADER' : 'FORMAT parquet'
  return writeWhole(file, (unfinished) =>
    engine.run(`COPY (${select}) TO ${quoted(unfinished)} (${format})`)
  )
}

/** Parquet has no integer of 128 bits that others read. */
const asBigint = (select: string): string =>
  `SELECT * REPLACE (quantity::BIGINT AS quantity, cost_pico::DECIMAL(38, 0) AS cost_pico,
     cents::BIGINT AS cents, low::BIGINT AS low, high::BIGINT AS high) FROM (${select})`
