import path from 'node:path'
import type { TestContext } from 'node:test'
import { encodeEvent } from '../../schemas/avro/encode-event.ts'
import { flattenEvent } from '../../schemas/avro/flatten-event.ts'
import { UsageEvent } from '../../schemas/event.ts'
import { generationOf } from '../../services/consume/generation.ts'
import { openLanding } from '../../services/consume/landing-site.ts'
import type { Run } from '../../services/consume/run.ts'
import { Engine, type Row } from '../../services/lake/engine.ts'
import { parquetWriter } from '../../services/lake/land-table.ts'
import { openLake } from '../../services/lake/lake.ts'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
import type { SettledHour } from '../../services/lake/settled-hours.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import type { SettleDoors } from './settle-hour.ts'
import { settle } from './settle.ts'

/** A lake for tests of settling: events go in by flushes, hours are settled when told. */
export type Settling = {
  /** Folder of the lake. */
  dir: string
  /** Lands events in their order by one flush. */
  land: (events: readonly object[]) => Promise<void>
  /** The same in two steps: what a sender does, and what the consumer does. */
  encode: (events: readonly object[]) => Run
  flush: (run: Run) => Promise<void>
  /** Settles everything that is due. */
  settle: () => Promise<SettledHour[]>
  /** Rows of a query over the lake as it is now. */
  rows: (sql: string) => Promise<Row[]>
}

const SOURCE = { topic: 'usage', incarnation: 'one' }
/** Long after every event, so that every hour is closed. */
const LATER_MS = Date.parse('2030-01-01T00:00:00Z')
const APPENDED_MS = Date.parse('2026-06-01T00:00:00Z')

export const openSettling = async (
  t: Pick<TestContext, 'after'>,
  options: Pick<SettleDoors, 'partMax'> = {}
): Promise<Settling> => {
  const folder = await scratchFolder(t)
  const dir = path.join(folder, 'lake')
  const landing = await openLanding({ dir, crashAt: null })
  const engine = await Engine.open({ spillFolder: path.join(folder, 'spill') })
  t.after(() => {
    landing.close()
    engine.close()
  })
  const lake = await openLake(dir, { writeParquet: parquetWriter(engine), create: true })
  const prices = await loadBook()
  const doors = { engine, lake, prices, generation: generationOf(prices), ...options }
  let end = 0
  const encode = (events: readonly object[]): Run => {
    const run = runOf(end, events)
    end = run.next
    return run
  }
  const flush = async (run: Run): Promise<void> => {
    landing.add(run, SOURCE)
    await landing.flush()
  }
  return {
    dir,
    encode,
    flush,
    land: (events) => flush(encode(events)),
    settle: () => {
      const partitions = [{ ...SOURCE, partition: 0, start: 0, end }]
      return settle(doors, { partitions, nowMs: LATER_MS })
    },
    rows: async (sql) => {
      await attach(doors, await lake.head())
      return (await engine.table(sql)).rows
    }
  }
}

/** Records of events that were appended a second apart. */
const runOf = (first: number, events: readonly object[]): Run => {
  const values = events.map((event) => encodeEvent(flattenEvent(UsageEvent.parse(event))))
  let end = 0
  const ends = values.map((value) => (end += value.length))
  const next = first + events.length
  return {
    partition: 0,
    first,
    next,
    count: events.length,
    offsets: Float64Array.from(values, (_, at) => first + at),
    timesMs: Float64Array.from(values, (_, at) => APPENDED_MS + (first + at) * 1000),
    bytes: new Uint8Array(Buffer.concat(values)),
    valueStart: Int32Array.from(values, (value, at) => ends[at]! - value.length),
    valueEnd: Int32Array.from(ends),
    faults: [],
    anchor: { offset: next - 1, crc32c: next }
  }
}
