import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { settle } from '../../jobs/settle/settle.ts'
import { lakeFolder, openLakeSite, type LakeSite } from '../../services/cli/site.ts'
import { Consumer } from '../../services/consume/consumer.ts'
import { startLanding, type LandingThread } from '../../services/consume/landing-thread.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import type { LogAdmin } from '../../services/stream/log-admin.ts'
import type { EventLog } from '../../services/stream/log.ts'

/** A log that can be harmed, a lake of its own, and the product's stages run between them. */
export type Stand = { log: EventLog & LogAdmin; topic: string; data: string; site: LakeSite }

/** Long after every event, so that every hour is closed. */
export const LATER_MS = Date.parse('2030-01-01T00:00:00Z')
/** Liveness: within this time after a fault everything is landed. A quiet machine takes 5 s. */
const LAG_MS_MAX = 90_000
const LOOK_MS = 50

export const faultFolder = async (t: Pick<TestContext, 'after'>): Promise<string> => {
  const data = await mkdtemp(path.join(tmpdir(), 'tally-faults-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  return data
}

/** The embedded log of a data folder, with one topic. */
export const openScratchLog = async (
  t: Pick<TestContext, 'after'>,
  data: string,
  topic: string,
  partitions: number
): Promise<EmbeddedLog> => {
  const log = new EmbeddedLog(path.join(data, 'log'))
  t.after(() => log.close())
  await log.ensureTopic(topic, partitions)
  return log
}

export const createStand = async (
  t: Pick<TestContext, 'after'>,
  { log, topic, ...given }: Pick<Stand, 'log' | 'topic'> & { data?: string }
): Promise<Stand> => {
  const data = given.data ?? (await faultFolder(t))
  const site = await openLakeSite({ data }, true)
  t.after(() => site.close())
  return { log, topic, data, site }
}

/** Waits until `holds`, looking often. @throws when it takes longer than a machine may need. */
export const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const deadlineMs = performance.now() + LAG_MS_MAX
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${LAG_MS_MAX} ms: ${what}`)
    await sleep(LOOK_MS)
  }
}

/** Offsets by which log and lake differ. */
export const lagOf = async ({ log, topic, site }: Stand): Promise<number> => {
  const { positions } = await site.lake.head()
  return (await log.partitions(topic)).reduce((sum, { partition, incarnation, start, end }) => {
    const position = positions.get(`${topic}/${partition}`)
    const landed = position?.incarnation === incarnation ? position.next : start
    // A lake beyond the log's end has not noticed yet that the log was cut off.
    return sum + Math.abs(end - landed)
  }, 0)
}

/** Liveness: resolves when the lag is back to 0. @throws what ends the consumer before. */
export const caughtUp = (stand: Stand, { failed }: Pick<Consuming, 'failed'>): Promise<void> =>
  Promise.race([until(`no lag in ${stand.topic}`, async () => (await lagOf(stand)) === 0), failed])

/** Offset behind the last record landed of a partition. */
export const positionOf = async ({ site, topic }: Stand, partition: number): Promise<number> =>
  (await site.lake.head()).positions.get(`${topic}/${partition}`)?.next ?? 0

export type Consuming = {
  /** Rejects when the consumer ends by itself. */
  failed: Promise<never>
  /** Lands what is pending and ends. @throws what made the consumer end by itself. */
  stop: () => Promise<void>
}

type ConsumeOptions = {
  flushMsMax?: number
  flushRowsMax?: number
  /** Called with the rows that wait in memory. */
  onPending?: (rows: number) => void
}

/** Starts a consumer in this process. */
export const consume = (
  { log, topic, data }: Stand,
  { onPending, ...flushes }: ConsumeOptions = {}
): Consuming => {
  const landing = startLanding({ dir: lakeFolder({ data }), crashAt: null })
  const settings = { flushMsMax: 200, flushRowsMax: 2_000, ...flushes, cutOffsets: 512 }
  const consumer = new Consumer(
    { topic, group: `consume.${topic}`, ...settings },
    {
      log,
      landing: watched(landing, onPending),
      logger: pino({ level: 'silent' }),
      nowMs: Date.now
    }
  )
  const running = consumer.run()
  const failed = new Promise<never>((_, reject) => void running.catch(reject))
  // Whoever waits sees the rejection; until then it is not unhandled.
  failed.catch(() => {})
  return {
    failed,
    stop: async () => {
      consumer.stop()
      try {
        await running
        await landing.close()
      } finally {
        await landing.terminate()
      }
    }
  }
}

const watched = (
  landing: LandingThread,
  onPending: ConsumeOptions['onPending']
): LandingThread => ({
  ...landing,
  add: async (run, source) => {
    const added = await landing.add(run, source)
    onPending?.(added.rows)
    return added
  }
})

/** Lands everything that the log holds. */
export const consumeAll = async (stand: Stand): Promise<void> => {
  const consuming = consume(stand)
  try {
    await caughtUp(stand, consuming)
  } finally {
    await consuming.stop()
  }
}

/** Settles every hour. */
export const settleAll = async ({ log, topic, site }: Stand): Promise<void> => {
  const partitions = (await log.partitions(topic)).map((state) => ({ ...state, topic }))
  await settle(site, { partitions, nowMs: LATER_MS })
}
