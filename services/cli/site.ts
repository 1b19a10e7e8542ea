import path from 'node:path'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { generationOf } from '../consume/generation.ts'
import { Engine } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake, type Lake } from '../lake/lake.ts'
import { loadBook, type PriceBook } from '../rates/prices/book.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import { KafkaLog } from '../stream/kafka/log.ts'
import type { EventLog, PartitionState } from '../stream/log.ts'

/** Where a command works: the folder of the lake and the log, and which log that is. */
export type SiteOptions = {
  data: string
  /** Kafka bootstrap servers; without them, the embedded log in the folder. */
  brokers?: string | undefined
}

export const lakeFolder = ({ data }: SiteOptions): string => path.join(data, 'lake')

/** Where recorded contents of flights lie. */
export const flightFolder = ({ data }: SiteOptions): string => path.join(data, 'flight')

export const openLog = ({ data, brokers }: SiteOptions): EventLog =>
  brokers === undefined
    ? new EmbeddedLog(path.join(data, 'log'))
    : new KafkaLog({ brokers: brokers.split(',') })

/** The lake with an engine to query it, and what enriches rows. */
export type LakeSite = {
  engine: Engine
  lake: Lake
  prices: PriceBook
  generation: string
  close: () => void
}

export const openLakeSite = async (options: SiteOptions, create = false): Promise<LakeSite> => {
  // Settling holds a whole hour: what does not fit into memory goes to the disk of the lake.
  const spillFolder = path.join(options.data, 'spill')
  const engine = await Engine.open({ threads: 2, spillFolder })
  const lake = await openLake(lakeFolder(options), { writeParquet: parquetWriter(engine), create })
  const prices = await loadBook()
  return { engine, lake, prices, generation: generationOf(prices), close: () => engine.close() }
}

/** The partitions of the events' topic as they are now, for deciding what is closed. */
export const eventPartitions = async (
  log: EventLog
): Promise<(PartitionState & { topic: string })[]> =>
  (await log.partitions(EVENTS_TOPIC)).map((state) => ({ ...state, topic: EVENTS_TOPIC }))
