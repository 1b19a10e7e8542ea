import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { once } from 'node:events'
import { openMemory } from '../../services/lake/memory.ts'
import { playTenant, type Change, type Tenant } from './hit-rate.ts'

/** Writes a hit-rate world as a Parquet file of windows, tenant after tenant. */

export type WindowWorld = {
  tenants: readonly Tenant[]
  days: number
  startMs: number
  change: (tenant: number) => Change | null
  seed: (tenant: number) => number
}

const MINUTE_MS = 60_000
const PPM = 1_000_000
const COLUMNS = 'window_ms, tenant, n, w, h, ww, x_ppm'
/** Text handed to the file at once. */
const CHUNK_CHARACTERS = 1 << 20

/** Returns the number of windows written. */
export const writeWindowFile = async (world: WindowWorld, path: string): Promise<number> => {
  const csv = `${path}.csv`
  const windows = await writeCsv(world, csv)
  const database = await openMemory()
  await database.run(`COPY (
    SELECT make_timestamptz(window_ms * 1000) AS window_start, tenant, 'llm' AS kind,
      'm' AS response_model, n, n AS cache_n, w AS in_total, w AS cache_w, h AS cache_h,
      ww AS cache_ww, x_ppm AS cache_x_ppm
    FROM read_csv('${csv}', header = false, names = [${COLUMNS.split(', ')
      .map((name) => `'${name}'`)
      .join(', ')}],
      types = {window_ms: 'BIGINT', tenant: 'VARCHAR', n: 'BIGINT', w: 'BIGINT', h: 'BIGINT',
        ww: 'BIGINT', x_ppm: 'BIGINT'})
  ) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`)
  database.close()
  await rm(csv)
  return windows
}

const writeCsv = async (world: WindowWorld, path: string): Promise<number> => {
  const file = createWriteStream(path)
  let windows = 0
  let text = ''
  for (const [index, tenant] of world.tenants.entries()) {
    const run = {
      tenant,
      days: world.days,
      change: world.change(index),
      seed: world.seed(index)
    }
    const chunks: string[] = []
    playTenant(run, ({ minute, n, w, h, ww, x }) => {
      windows += 1
      text += `${world.startMs + minute * MINUTE_MS},t${index},${n},${w},${h},${ww},${Math.floor(x * PPM)}\n`
      if (text.length < CHUNK_CHARACTERS) return
      chunks.push(text)
      text = ''
    })
    for (const chunk of chunks) if (!file.write(chunk)) await once(file, 'drain')
  }
  file.end(text)
  await once(file, 'finish')
  return windows
}
