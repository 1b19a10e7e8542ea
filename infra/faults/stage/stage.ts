import { once } from 'node:events'
import pino from 'pino'
import { settle } from '../../../jobs/settle/settle.ts'
import { CONSUMER_GROUP } from '../../../schemas/topics.ts'
import { lakeFolder, openLakeSite, openLog } from '../../../services/cli/site.ts'
import { Consumer } from '../../../services/consume/consumer.ts'
import { startLanding, type LandingThread } from '../../../services/consume/landing-thread.ts'
import { dieAt } from '../../../services/lake/crash-point.ts'
import { localFiles } from '../../../services/lake/local-files.ts'
import { openLake } from '../../../services/lake/lake.ts'
import { parquetWriter } from '../../../services/lake/land-table.ts'
import { KafkaLog } from '../../../services/stream/kafka/log.ts'
import type { EventLog } from '../../../services/stream/log.ts'
import { landAsBuild } from './other-build.ts'
import { slowDisk } from './slow-disk.ts'

/** One stage of the product as a process of its own, so that it can be killed. */
export type StageOptions = {
  /** `consume` until everything is landed, `serve` until SIGTERM, or `settle`. */
  stage: string
  data: string
  brokers: string | undefined
  topic: string
  /** Silence after which the group takes this member for dead. */
  sessionTimeoutMs: number | undefined
  crashAt: string | null
  /** Generation of another build that this process stands for; null = this one. */
  build: string | null
  /** What each sync takes on the disk of another build, beyond its own time. */
  syncMs: number
  nowMs: () => number
  flushMsMax: number
  flushRowsMax: number
  /** Says `running`, `pending` with the first rows in memory, `landed` after each flush of rows. */
  tell: (line: string) => void
}

/** Small cuts, so that a few thousand events make many flushes. */
const CUT_OFFSETS = 512
/** New partitions are to be seen within the time of a test. */
const METADATA_MAX_AGE_MS = 500

export const runStage = (options: StageOptions): Promise<void> =>
  options.stage === 'settle' ? settleStage(options) : consumeStage(options)

const openStageLog = ({ data, brokers, sessionTimeoutMs }: StageOptions): EventLog =>
  brokers === undefined
    ? openLog({ data })
    : new KafkaLog({
        brokers: [brokers],
        metadataMaxAgeMs: METADATA_MAX_AGE_MS,
        ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs })
      })

const consumeStage = async (options: StageOptions): Promise<void> => {
  const { crashAt, flushMsMax, flushRowsMax, nowMs, tell, topic } = options
  const log = openStageLog(options)
  const dir = lakeFolder(options)
  const landing =
    options.build === null
      ? startLanding({ dir, crashAt })
      : await landAsBuild({ dir, generation: options.build, disk: slowDisk(options.syncMs) })
  const logger = pino({ level: 'warn' }, pino.destination(2))
  const consumer = new Consumer(
    {
      topic,
      group: CONSUMER_GROUP,
      flushMsMax,
      flushRowsMax,
      cutOffsets: CUT_OFFSETS
    },
    { log, landing: telling(landing, tell), logger, nowMs }
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

/** The landing, saying when rows wait in memory and when some of ours are in the lake. */
const telling = (landing: LandingThread, tell: StageOptions['tell']): LandingThread => ({
  ...landing,
  add: async (run, source) => {
    const added = await landing.add(run, source)
    if (added.rows > 0) tell(`pending ${added.rows}`)
    return added
  },
  flush: async () => {
    const landed = await landing.flush()
    const ours = landed.filter((one) => one.ours).length
    if (landed.length > 0) tell(`landed ${ours}, lost ${landed.length - ours}`)
    return landed
  }
})

const settleStage = async (options: StageOptions): Promise<void> => {
  const log = openStageLog(options)
  const site = await openLakeSite(options)
  const { crashAt, tell, topic } = options
  const lake =
    crashAt === null
      ? site.lake
      : await openLake(lakeFolder(options), {
          writeParquet: parquetWriter(site.engine),
          files: localFiles(lakeFolder(options), { step: dieAt(crashAt) })
        })
  const partitions = (await log.partitions(topic)).map((state) => ({ ...state, topic }))
  const hours = await settle({ ...site, lake }, { partitions, nowMs: options.nowMs() })
  tell(`settled ${hours.length}`)
  site.close()
  await log.close()
}
