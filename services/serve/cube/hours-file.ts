import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { HOURS_SHAPE, HOURS_TABLE } from './columns.ts'
import { DERIVED, derivedTable } from './rollups.ts'

/**
 * The file that keeps the hours between starts. It is a copy of what the lake says: whatever is
 * wrong with it, it is made anew. One process writes it; others keep theirs in memory.
 */
export const openHours = async (engine: Engine, file: string | null): Promise<void> => {
  if (file === null) return createHours(engine, ':memory:')
  await mkdir(path.dirname(file), { recursive: true })
  const trouble = await tryHours(engine, file)
  if (trouble === null) return
  if (/lock/i.test(trouble)) return createHours(engine, ':memory:')
  await engine.run('DETACH DATABASE IF EXISTS cube')
  await rm(file, { force: true })
  await rm(`${file}.wal`, { force: true })
  await createHours(engine, file)
}

/** Why the file can not be used; null when it can. */
const tryHours = async (engine: Engine, file: string): Promise<string | null> => {
  try {
    await createHours(engine, file)
    const [row] = await engine.rows('SELECT shape FROM cube.shape')
    return row?.['shape'] === HOURS_SHAPE ? null : 'another shape'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const createHours = (engine: Engine, file: string): Promise<void> =>
  engine.run(`ATTACH ${quoted(file)} AS cube; ${HOURS_TABLE}; ${DERIVED.map(derivedTable).join('; ')};
    CREATE TABLE IF NOT EXISTS cube.shape AS SELECT ${quoted(HOURS_SHAPE)} AS shape`)
