import type { Logger } from 'pino'
import { detectStep } from '../../jobs/detect/detect.ts'
import { settle } from '../../jobs/settle/settle.ts'
import type { Finding } from '../../schemas/finding.ts'
import { CONSUMER_GROUP, EVENTS_TOPIC } from '../../schemas/topics.ts'
import { Consumer, CONSUMER_DEFAULTS } from '../consume/consumer.ts'
import { startLanding } from '../consume/landing-thread.ts'
import type { SettledHour } from '../lake/settled-hours.ts'
import { loadSignals } from '../signals/load.ts'
import type { EventLog } from '../stream/log.ts'
import { eventPartitions, lakeFolder, type LakeSite, type SiteOptions } from './site.ts'

/** The stages of the product, run once to the end: what `up` keeps doing, for files and the demo. */

/** Lands everything that the log holds. */
export const landAll = async (
  options: SiteOptions,
  log: EventLog,
  doors: { logger: Logger; nowMs: () => number }
): Promise<void> => {
  const landing = startLanding({ dir: lakeFolder(options), crashAt: null })
  const consumer = new Consumer(
    { topic: EVENTS_TOPIC, group: CONSUMER_GROUP, ...CONSUMER_DEFAULTS },
    { log, landing, ...doors }
  )
  const running = consumer.run()
  try {
    await Promise.race([consumer.caughtUp(), running])
    consumer.stop()
    await running
    await landing.close()
  } finally {
    await landing.terminate()
  }
}

/** Folds the minutes that are closed; returns the findings of this step. */
export const detectAll = async (site: LakeSite, log: EventLog, nowMs: number): Promise<Finding[]> =>
  detectStep(
    site,
    { signals: await loadSignals(), generation: site.generation },
    { partitions: () => eventPartitions(log), nowMs }
  )

/** Settles the hours that are closed. */
export const settleAll = async (
  site: LakeSite,
  log: EventLog,
  options: { nowMs: number; onHour?: (hour: SettledHour) => void }
): Promise<SettledHour[]> => settle(site, { partitions: await eventPartitions(log), ...options })
