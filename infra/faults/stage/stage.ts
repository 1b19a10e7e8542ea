import { once } from 'node:events'
import pino from 'pino'
import { settle } from '../../../jobs/settle/settle.ts'
import { CONSUMER_GROUP, EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { eventPartitions, lakeFolder, openLakeSite, openLog } from '../../../services/cli/site.ts'
import { Consumer } from '../../../services/consume/consumer.ts'
import { startLanding } from '../../../services/consume/landing-thread.ts'
import { dieAt } from '../../../services/lake/crash-point.ts'
import { localFiles } from '../../../services/lake/local-files.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'

/** One stage of the product as a process of its own, so that it can be killed. */
export type StageOptions = {
  /** `consume` until everything is landed, `serve` until SIGTERM, or `settle`. */
  stage: string
  data: string
  brokers: string | undefined
  crashAt: string | null
  nowMs: () => number
  flushMsMax: number
  flushRowsMax: number
  tell: (line: string) => void
}

/** Small cuts, so that a few thousand events make many flushes. */
const CUT_OFFSETS = 512

export const runStage = (options: StageOptions): Promise<void> =>
  options.stage === 'settle' ? settleStage(options) : consumeStage(options)

const consumeStage = async (options: StageOptions): Promise<void> => {
  const { crashAt, flushMsMax, flushRowsMax, nowMs, tell } = options
  const log = openLog(options)
  const landing = startLanding({ dir: lakeFolder(options), crashAt })
  const consumer = new Consumer(
    {
      topic: EVENTS_TOPIC,
      group: CONSUMER_GROUP,
      flushMsMax,
      flushRowsMax,
      cutOffsets: CUT_OFFSETS
    },
    { log, landing, logger: pino({ level: 'warn' }, pino.destination(2)), nowMs }
  )
  const running = consumer.run()
  tell('running')
  const until = options.stage === 'serve' ? once(process, 'SIGTERM') : consumer.caughtUp()
  await Promise.race([until, running])
  consumer.stop()
  await running
  await landing.close()
  await landing.terminate()
  await log.close()
}

const settleStage = async (options: StageOptions): Promise<void> => {
  const log = openLog(options)
  const site = await openLakeSite(options)
  const { crashAt, tell } = options
  const lake =
    crashAt === null
      ? site.lake
      : await openLake(lakeFolder(options), {
          writeParquet: parquetWriter(site.engine),
          files: localFiles(lakeFolder(options), { step: dieAt(crashAt) })
        })
  const partitions = await eventPartitions(log)
  const hours = await settle({ ...site, lake }, { partitions, nowMs: options.nowMs() })
  tell(`settled ${hours.length}`)
  site.close()
  await log.close()
}
