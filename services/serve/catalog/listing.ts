import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { HOURLY } from './mart.ts'
import { MART_VIEWS } from './views.ts'

/** What somebody finds who opens the catalog: which tables, how much of them, and how new. */

export type CatalogTable = {
  name: string
  comment: string
  /** Null for views over other tables. */
  rows: number | null
  files: number | null
  bytes: number | null
  /** End of the newest settled hour, RFC 3339; null where rows are not kept by the hour, or there are none. */
  settled_until: string | null
}

const PARQUET = '.parquet'
const HOUR = /dt=(\d{4}-\d{2}-\d{2})\/hour=(\d{2})\//
const HOUR_MS = 3_600_000

/** @param folder of the mart. */
export const listCatalog = (engine: Engine, folder: string): Promise<CatalogTable[]> =>
  Promise.all(
    MART_VIEWS.map(async ({ name, comment, sql }) => {
      const none = { name, comment, rows: null, files: null, bytes: null, settled_until: null }
      if (sql !== null) return none
      const files = await parquetFiles(path.join(folder, name))
      const sizes = await Promise.all(files.map((file) => stat(path.join(folder, name, file))))
      return {
        ...none,
        rows: files.length === 0 ? 0 : await countRows(engine, path.join(folder, name)),
        files: files.length,
        bytes: sizes.reduce((sum, { size }) => sum + size, 0),
        settled_until: Object.hasOwn(HOURLY, name) ? settledUntil(files) : null
      }
    })
  )

const parquetFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith(PARQUET)).toSorted()
}

/** From the ends of the files: no row is read. */
const countRows = async (engine: Engine, folder: string): Promise<number> => {
  const [row] = await engine.rows(`SELECT sum(num_rows)::DOUBLE AS n
    FROM parquet_file_metadata(${quoted(`${folder}/**/*${PARQUET}`)})`)
  return Number(row?.['n'] ?? 0)
}

const settledUntil = (files: readonly string[]): string | null => {
  const [, day, hour] = HOUR.exec(files.at(-1) ?? '') ?? []
  if (day === undefined) return null
  return new Date(Date.parse(`${day}T${hour}:00:00Z`) + HOUR_MS).toISOString()
}
