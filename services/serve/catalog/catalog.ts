import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Engine } from '../../lake/engine.ts'
import type { Lake } from '../../lake/lake.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { hasFiles, swap, writeMart } from './mart.ts'
import { globSql, MACROS, MART_VIEWS, viewSql } from './views.ts'

/**
 * What analysts open: `mart/` with plain Parquet, `catalog.duckdb` with views over it, comments on
 * every column and macros, and `views.sql`, which makes the same in any database of DuckDB.
 */
export type Catalog = { version: number; files: number; folder: string }

const Written = z.object({ version: z.int() })

/** Brings the catalog below `data` to the head of the lake; does nothing when it is there. */
export const refreshCatalog = async (
  { engine, lake }: { engine: Engine; lake: Lake },
  data: string
): Promise<Catalog> => {
  const folder = path.resolve(data, 'mart')
  const head = await lake.head()
  const stamp = path.join(folder, '_version.json')
  const since = await versionOf(stamp)
  if (since === head.version) return { version: since, files: 0, folder }
  const files = await writeMart({ engine, lake, folder }, head, since)
  if (files > 0 || since < 0) await writeViews(engine, { data: path.resolve(data), folder })
  await swap(stamp, (temporary) => writeFile(temporary, JSON.stringify({ version: head.version })))
  return { version: head.version, files, folder }
}

const versionOf = async (stamp: string): Promise<number> => {
  const text = await readFile(stamp, 'utf8').catch(() => null)
  return text === null ? -1 : Written.parse(JSON.parse(text)).version
}

type Place = { data: string; folder: string }

const writeViews = async (engine: Engine, { data, folder }: Place): Promise<void> => {
  const statements: string[] = [MACROS]
  for (const view of MART_VIEWS) {
    const present = view.sql === null ? await columnsOf(engine, folder, view.name) : null
    statements.push(viewSql(view, folder, present))
  }
  const script = `${statements.join(';\n')};\n`
  await swap(path.join(data, 'views.sql'), (temporary) => writeFile(temporary, script))
  await swap(path.join(data, 'catalog.duckdb'), async (temporary) => {
    await engine.run(`ATTACH ${quoted(temporary)} AS catalog; USE catalog`)
    try {
      await engine.run(script)
    } finally {
      await engine.run('USE memory; DETACH catalog')
    }
  })
}

const columnsOf = async (
  engine: Engine,
  folder: string,
  name: string
): Promise<ReadonlySet<string> | null> => {
  if (!(await hasFiles(folder, name))) return null
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${globSql(folder, name)}`)
  return new Set(rows.map((row) => String(row['column_name'] as string)))
}
