import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { CUBE_SHAPE, ROLLUPS, rollupTables } from './rollups.ts'

const IN_MEMORY = ':memory:'

/** So much is written before it is put in order on disk: small parts are put in order again and again. */
const UNORDERED_MIB_MAX = 128

/**
 * Opens the file that keeps the cube between starts. It is a copy of what the lake says: whatever
 * is wrong with it, it is made anew. One process writes it; any other has a file of its own.
 * @param file null = in memory, for lakes that are small.
 * @returns what takes away again what nobody else can use.
 */
export const openCubeFile = async (
  engine: Engine,
  file: string | null
): Promise<() => Promise<void>> => {
  await engine.run(`SET checkpoint_threshold = '${UNORDERED_MIB_MAX}MiB'`)
  if (file === null) {
    await createTables(engine, IN_MEMORY)
    return async () => undefined
  }
  // What was committed lies in memory until it is put in order: nothing is written twice.
  const leave = (): Promise<void> => engine.run('DETACH DATABASE cube')
  await mkdir(path.dirname(file), { recursive: true })
  const trouble = await tryFile(engine, file)
  if (trouble === null) return leave
  if (/lock/i.test(trouble)) return openOwnFile(engine)
  await engine.run('DETACH DATABASE IF EXISTS cube')
  await rm(file, { force: true })
  await rm(`${file}.wal`, { force: true })
  await createTables(engine, file)
  return leave
}

const openOwnFile = async (engine: Engine): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tally-cube-'))
  await createTables(engine, path.join(folder, 'cube.duckdb'))
  return async () => {
    await engine.run('DETACH DATABASE cube')
    await rm(folder, { recursive: true, force: true })
  }
}

/** Why the file can not be used; null when it can. */
const tryFile = async (engine: Engine, file: string): Promise<string | null> => {
  try {
    await createTables(engine, file)
    const [row] = await engine.rows('SELECT shape FROM cube.shape')
    return row?.['shape'] === CUBE_SHAPE ? null : 'another shape'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const createTables = (engine: Engine, file: string): Promise<void> =>
  engine.run(`ATTACH ${quoted(file)} AS cube${file === IN_MEMORY ? '' : ' (RECOVERY_MODE NO_WAL_WRITES)'}; ${ROLLUPS.map(rollupTables).join('; ')};
    CREATE TABLE IF NOT EXISTS cube.files (number INTEGER, path VARCHAR, from_ms BIGINT, to_ms BIGINT);
    CREATE TABLE IF NOT EXISTS cube.blocks (name VARCHAR, from_ms BIGINT);
    CREATE TABLE IF NOT EXISTS cube.shape AS SELECT ${quoted(CUBE_SHAPE)} AS shape`)
