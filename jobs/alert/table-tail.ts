import type { Engine, Row } from '../../services/lake/engine.ts'

/**
 * Reads the end of a table whose rows carry rising keys. Files never change, so the highest key
 * of each is asked for once and remembered: a look for news opens new files only.
 */
export type Tail = {
  /** Rows with a key above `after`, by rising key. */
  rows: (files: readonly string[], query: { after: number; limit: number }) => Promise<Row[]>
  /** Rows with one of these keys, in no order. */
  pick: (files: readonly string[], keys: readonly number[]) => Promise<Row[]>
}

export type TailOptions = {
  /** Column of the rising key. */
  key: string
  /** What the engine opens to read a file. */
  location: (path: string) => string
}

/** Lowest and highest key of a file. */
type Bounds = { low: number; high: number }

export const openTail = (engine: Engine, { key, location }: TailOptions): Tail => {
  const bounds = new Map<string, Bounds>()
  const learn = async (files: readonly string[]): Promise<void> => {
    forgetOthers(bounds, files)
    for (const path of files) {
      if (bounds.has(path)) continue
      const [row] = await engine.rows(
        `SELECT min("${key}") AS low, max("${key}") AS high FROM ${relation([location(path)])}`
      )
      bounds.set(path, { low: Number(row?.['low']), high: Number(row?.['high']) })
    }
  }
  const select = async (
    files: readonly string[],
    isWanted: (bounds: Bounds) => boolean,
    rest: string
  ): Promise<Row[]> => {
    await learn(files)
    const wanted = files.filter((path) => isWanted(bounds.get(path)!))
    if (wanted.length === 0) return []
    return engine.rows(`SELECT * FROM ${relation(wanted.map(location))} ${rest}`)
  }
  return {
    rows: (files, { after, limit }) =>
      select(
        files,
        ({ high }) => high > after,
        `WHERE "${key}" > ${after} ORDER BY "${key}" LIMIT ${limit}`
      ),
    pick: async (files, keys) => {
      if (keys.length === 0) return []
      const isWanted = ({ low, high }: Bounds): boolean =>
        keys.some((wanted) => wanted >= low && wanted <= high)
      return select(files, isWanted, `WHERE "${key}" IN (${[...new Set(keys)].join(', ')})`)
    }
  }
}

/** Merged files replace others; what is gone need not be remembered. */
const forgetOthers = (bounds: Map<string, Bounds>, files: readonly string[]): void => {
  if (bounds.size <= files.length) return
  const live = new Set(files)
  for (const path of bounds.keys()) if (!live.has(path)) bounds.delete(path)
}

const relation = (locations: readonly string[]): string =>
  `read_parquet([${locations.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')}])`
