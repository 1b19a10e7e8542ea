import type { Logger } from 'pino'
import { CONSUMER_GROUP, EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { Consumer, CONSUMER_DEFAULTS } from '../../consume/consumer.ts'
import { startLanding, type LandingThread } from '../../consume/landing-thread.ts'
import type { EventLog } from '../../stream/log.ts'
import { lakeFolder, type SiteOptions } from '../site.ts'
import { CONSUME_LEASE, keepLease } from './held-lease.ts'
import type { ConsumeMetrics } from './metrics.ts'
import type { Part } from './parts.ts'

export type ConsumerDoors = {
  place: SiteOptions
  log: EventLog
  logger: Logger
  metrics: ConsumeMetrics
  /** Longest time that a record waits before it is landed. */
  flushMsMax: number
  /** Called after each flush that landed something. */
  landed: () => void
}

export type ConsumerPart = Part & { consumer: Pick<Consumer, 'landed'> }

/** Lands what the log holds, in a thread of its own; the group's heartbeat stays on this one. */
export const startConsumer = async (doors: ConsumerDoors): Promise<ConsumerPart> => {
  const { log, logger, flushMsMax } = doors
  const dir = lakeFolder(doors.place)
  const failed = new AbortController()
  const lease = await keepLease(dir, CONSUME_LEASE, (error) => failed.abort(error))
  const landing = startLanding({ dir, crashAt: null })
  const consumer = new Consumer(
    { topic: EVENTS_TOPIC, group: CONSUMER_GROUP, ...CONSUMER_DEFAULTS, flushMsMax },
    { log, landing: observed(landing, doors), logger, nowMs: Date.now }
  )
  const running = consumer.run()
  return {
    name: 'the consumer',
    consumer,
    ended: Promise.race([running, failure(failed.signal)]),
    stop: async () => {
      consumer.stop()
      try {
        await running
        await landing.close()
      } finally {
        await landing.terminate()
        await lease.release()
      }
    }
  }
}

const failure = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

/** The landing, with its flushes measured and told. */
const observed = (landing: LandingThread, { metrics, landed }: ConsumerDoors): LandingThread => ({
  ...landing,
  flush: async () => {
    const stop = metrics.flushSeconds.startTimer()
    const ranges = await landing.flush()
    if (ranges.length > 0) {
      stop()
      metrics.partitions.inc({ result: 'landed' }, ranges.filter(({ ours }) => ours).length)
      metrics.partitions.inc({ result: 'lost' }, ranges.filter(({ ours }) => !ours).length)
      landed()
    }
    return ranges
  }
})
