import { createReadStream } from 'node:fs'
import { crc32 } from '@node-rs/crc32'
import { Engine } from '../../services/lake/engine.ts'
import { parquetWriter } from '../../services/lake/land-table.ts'
import { openLake } from '../../services/lake/lake.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { attach } from '../../services/lake/snapshot.ts'

/** Of 50 M events there are 7.6 M windows, and all are folded at once: 6 GiB. */
const MEMORY_MAX_MIB = 6_144

/** Writes the landed windows in the form that all racers write: one JSON object a line. */
export const writeWindows = async (lakeFolder: string, out: string): Promise<void> => {
  const engine = await Engine.open({ memoryMaxMib: MEMORY_MAX_MIB })
  const lake = await openLake(lakeFolder, { writeParquet: parquetWriter(engine) })
  await attach({ engine, lake }, await lake.head())
  const label = (name: string): string => `coalesce(${name}, '')`
  await engine.run(
    `COPY (
       SELECT format('{{"key":"{}|{}|{}","window_start":{},"count":{},"in":{},"cached":{},"out":{},"cost":{}}}',
         ${label('tenant')}, ${label('response_model')}, ${label('route')}, epoch_ms(window_start), sum(n)::BIGINT,
         coalesce(sum(in_total), 0)::BIGINT, coalesce(sum(in_cache_read), 0)::BIGINT,
         coalesce(sum(out_total), 0)::BIGINT, coalesce(sum(cost_pico), 0)::BIGINT)
       FROM temp.windows GROUP BY tenant, response_model, route, window_start
     ) TO ${quoted(out)} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\\x01')`
  )
  engine.close()
}

const NEWLINE = 10
const BLOCK_BYTES = 1 << 20

/** Lines of a file and the sum of their CRC-32, by which results are compared. */
export const checksumLines = async (file: string): Promise<{ lines: number; checksum: bigint }> => {
  let lines = 0
  let checksum = 0n
  let rest: Buffer = Buffer.alloc(0)
  for await (const block of createReadStream(file, { highWaterMark: BLOCK_BYTES })) {
    const bytes = Buffer.concat([rest, block as Buffer])
    let start = 0
    // A double is exact for the lines of one block.
    let sum = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines += 1
      sum += crc32(bytes.subarray(start, end)) >>> 0
      start = end + 1
    }
    checksum += BigInt(sum)
    rest = bytes.subarray(start)
  }
  if (rest.length > 0) throw new Error(`${file} ends within a line`)
  return { lines, checksum }
}
