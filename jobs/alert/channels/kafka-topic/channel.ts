import { z } from 'zod'
import { Failure } from '../../../../schemas/failure.ts'
import { ALERTS_TOPIC } from '../../../../schemas/topics.ts'
import type { EventLog, OutRecord } from '../../../../services/stream/log.ts'
import { defineChannel, type Notification, type Outcome } from '../../channel.ts'
import { notificationText } from '../../notification-text.ts'

/** Alerts are few; more partitions would only scatter them. */
const PARTITIONS = 1

/** Brokers take 1 MiB a message by default, headers included. */
const VALUE_BYTES_MAX = 1_000_000

const Config = z.strictObject({ topic: z.string().min(1).default(ALERTS_TOPIC) })

export default defineChannel({
  title: 'Topic of the event log',
  config: Config,
  bytesMax: VALUE_BYTES_MAX,
  open: ({ topic }, { log }) => ({
    mode: 'events',
    send: (notification) => send(requireLog(log), topic, notification)
  })
})

const requireLog = (log: EventLog | null): EventLog => {
  if (log !== null) return log
  throw new Failure('E_USAGE', 'The channel kind kafka-topic needs the event log', {
    hint: 'Name the log by --data or --brokers, or remove the channel.'
  })
}

const send = async (log: EventLog, topic: string, notification: Notification): Promise<Outcome> => {
  try {
    await log.ensureTopic(topic, PARTITIONS)
    await log.append(topic, [recordOf(notification)])
    return { kind: 'delivered' }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const reason = `${error.code}: ${error.message}`
    return error.retriable
      ? { kind: 'retry', reason, retryAfterMs: null }
      : { kind: 'rejected', reason }
  }
}

/**
 * The key is the incident, so that its notices keep their order; the header `ce_id` is the same when
 * a notice comes twice. Headers follow CloudEvents' binary mode.
 */
const recordOf = (notification: Notification): OutRecord => ({
  key: notification.notice.fingerprint,
  value: Buffer.from(notificationText(notification, VALUE_BYTES_MAX, (parts) => parts)),
  headers: {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: notification.notice.id,
    ce_source: 'tallystream',
    ce_type: `incident.${notification.notice.kind}`,
    ce_time: notification.notice.at
  }
})
