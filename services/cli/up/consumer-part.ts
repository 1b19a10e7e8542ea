import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { CONSUMER_GROUP, EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { Consumer, CONSUMER_DEFAULTS } from '../../consume/consumer.ts'
import { startLanding, type LandingThread } from '../../consume/landing-thread.ts'
import type { EventLog } from '../../stream/log.ts'
import { lakeFolder, type SiteOptions } from '../site.ts'
import { CONSUME_LEASE, keepLease } from './held-lease.ts'
import type { ConsumeMetrics } from './metrics.ts'
import type { Part } from './parts.ts'

/** A third of the time that schedulers give a process to end; what is left lies in the log. */
const DRAIN_MS_MAX = 10_000

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

export type ConsumerPart = Part & {
  /** Whether the partitions that the group gives to this process are being read. */
  isReading: () => boolean
  /** By partition, the offset below which everything is in the lake. */
  landed: () => ReadonlyMap<number, number>
}

/** Lands what the log holds, in a thread of its own; the group's heartbeat stays on this one. */
export const startConsumer = async (doors: ConsumerDoors): Promise<ConsumerPart> => {
  const { logger, flushMsMax } = doors
  const dir = lakeFolder(doors.place)
  const failed = new AbortController()
  const lease = await keepLease(dir, CONSUME_LEASE, (error) => failed.abort(error))
  const landing = startLanding({ dir, crashAt: null })
  let reading = false
  const log = observedLog(doors.log, () => {
    reading = true
  })
  const consumer = new Consumer(
    { topic: EVENTS_TOPIC, group: CONSUMER_GROUP, ...CONSUMER_DEFAULTS, flushMsMax },
    { log, landing: observedLanding(landing, doors), logger, nowMs: Date.now }
  )
  const running = consumer.run()
  return {
    name: 'the consumer',
    isReading: () => reading,
    landed: () => consumer.landed() ?? new Map(),
    ended: Promise.race([running, failure(failed.signal)]),
    stop: async () => {
      // What was acknowledged until now is landed, unless a backlog would hold up the end.
      const limit = new AbortController()
      const late = sleep(DRAIN_MS_MAX, undefined, { signal: limit.signal }).catch(() => undefined)
      await Promise.race([consumer.caughtUp(), running, late]).catch(() => undefined)
      limit.abort()
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

/** The log, telling when the readers of an assignment run. */
const observedLog = (log: EventLog, reading: () => void): EventLog => ({
  ensureTopic: (...args) => log.ensureTopic(...args),
  partitions: (topic) => log.partitions(topic),
  append: (...args) => log.append(...args),
  read: (...args) => log.read(...args),
  reuse: (run) => log.reuse?.(run),
  join: (topic, group, callbacks) =>
    log.join(topic, group, {
      ...callbacks,
      assigned: async (partitions) => {
        await callbacks.assigned(partitions)
        reading()
      }
    }),
  close: () => log.close()
})

/** The landing, with its flushes measured and told. */
const observedLanding = (
  landing: LandingThread,
  { metrics, landed }: ConsumerDoors
): LandingThread => ({
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
