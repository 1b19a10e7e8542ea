import { trimBeforeMs } from '../../jobs/retain/trim-log.ts'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import type { Lake } from '../lake/lake.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import type { EventLog } from '../stream/log.ts'
import { eventPartitions } from './site.ts'

/** Removes old landed records from the log in the folder; Kafka has its own retention. */
export const trimEmbeddedLog = async (log: EventLog, lake: Lake, nowMs: number): Promise<void> => {
  if (!(log instanceof EmbeddedLog)) return
  const head = await lake.head()
  const beforeMs = trimBeforeMs(head, await eventPartitions(log), nowMs)
  if (Number.isFinite(beforeMs)) await log.deleteBeforeTime(EVENTS_TOPIC, beforeMs)
}
