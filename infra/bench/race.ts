import path from 'node:path'
import pino from 'pino'
import { Consumer, CONSUMER_DEFAULTS } from '../../services/consume/consumer.ts'
import { startLanding } from '../../services/consume/landing-thread.ts'
import { KafkaLog } from '../../services/stream/kafka/log.ts'
import { PREFIX_BYTES, RACE_COLUMNS, RACE_FIXED } from './race-mapping.ts'
import { figures } from './figures.ts'
import { checksumLines, writeWindows } from './race-windows.ts'

export type RaceOptions = {
  brokers: string
  topic: string
  schema: unknown
  /** File of the windows. */
  out: string
  /** Folder of the lake. */
  folder: string
}

/**
 * The product as one racer: consumes a whole topic, lands raw events and windows with every commit
 * that live use makes, then writes its windows for comparison. Everything is inside the clock.
 * @returns one JSON line of figures.
 */
export const race = async ({
  brokers,
  topic,
  schema,
  out,
  folder
}: RaceOptions): Promise<string> => {
  const lake = path.join(folder, 'lake')
  const log = new KafkaLog({ brokers: brokers.split(',') })
  const landing = startLanding({
    dir: lake,
    crashAt: null,
    foreign: { schema, prefixBytes: PREFIX_BYTES, columns: RACE_COLUMNS, fixed: RACE_FIXED }
  })
  const consumer = new Consumer(
    { topic, group: `race-${process.pid}`, ...CONSUMER_DEFAULTS },
    { log, landing, logger: pino({ level: 'warn' }, pino.destination(2)), nowMs: Date.now }
  )
  const running = consumer.run()
  await Promise.race([consumer.caughtUp(), running])
  consumer.stop()
  await running
  await landing.close()
  await landing.terminate()
  const events = (await log.partitions(topic)).reduce((sum, { start, end }) => sum + end - start, 0)
  await log.close()
  await writeWindows(lake, out)
  const { lines, checksum } = await checksumLines(out)
  return figures({ peer: 'product', events, windows: lines, checksum })
}
