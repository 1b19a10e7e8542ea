import path from 'node:path'
import { openLanding } from '../../services/consume/landing-site.ts'
import { cutRun } from '../../services/consume/run.ts'
import { KafkaLog } from '../../services/stream/kafka/log.ts'
import { figuresOf } from './figures.ts'
import { PREFIX_BYTES, RACE_COLUMNS, RACE_FIXED } from './race-mapping.ts'
import type { StageOptions } from './stage.ts'

/** Bytes of one read, as the product's readers ask for. */
const READ_BYTES_MAX = 4 << 20
const READ_WAIT_MS = 250
/** Rows of a flush, as in live use. */
const ROWS_MAX = 131_072
const MS_PER_S = 1000

/**
 * Landing alone: decoded columns into DuckDB, raw events and windows as Parquet, fsync, hash and
 * commit. Fetching and decoding go on between two flushes and are left out of the figures.
 */
export const runLand = async (options: StageOptions & { folder: string }): Promise<string> => {
  const { topic, schema } = options
  const log = new KafkaLog({ brokers: options.brokers.split(',') })
  const foreign = { schema, prefixBytes: PREFIX_BYTES, columns: RACE_COLUMNS, fixed: RACE_FIXED }
  const landing = await openLanding({
    dir: path.join(options.folder, 'lake'),
    crashAt: null,
    foreign
  })
  const spent = { userUs: 0, systemUs: 0, wallMs: 0 }
  const flush = async (): Promise<void> => {
    const before = { cpu: process.cpuUsage(), ms: performance.now() }
    await landing.flush()
    const { user, system } = process.cpuUsage(before.cpu)
    spent.userUs += user
    spent.systemUs += system
    spent.wallMs += performance.now() - before.ms
  }
  let events = 0
  for (const { partition, start, end, incarnation } of await log.partitions(topic)) {
    for (let offset = start; offset < end;) {
      const limits = { bytesMax: READ_BYTES_MAX, waitMsMax: READ_WAIT_MS }
      const run = await log.read(topic, partition, offset, limits)
      events += run.count
      const { rows } = landing.add(cutRun(run, offset, run.next), { topic, incarnation })
      offset = run.next
      log.reuse(run)
      if (rows >= ROWS_MAX) await flush()
    }
  }
  await flush()
  landing.close()
  await log.close()
  const result = { peer: 'product-land', events, windows: 0, checksum: BigInt(events) }
  return figuresOf(result, { user: spent.userUs, system: spent.systemUs }, spent.wallMs / MS_PER_S)
}
