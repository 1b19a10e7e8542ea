import { z } from 'zod'
import { Failure } from '../../../../schemas/failure.ts'
import { ALERTS_TOPIC } from '../../../../schemas/topics.ts'
import type { EventLog, OutRecord } from '../../../../services/stream/log.ts'
import { defineChannel, type Notification, type Outcome } from '../../channel.ts'

/** Alerts are few; more partitions would only scatter them. */
const PARTITIONS = 1

const Config = z.strictObject({ topic: z.string().min(1).default(ALERTS_TOPIC) })

export default defineChannel({
  title: 'Topic of the event log',
  config: Config,
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
const recordOf = ({ notice, finding, links }: Notification): OutRecord => ({
  key: notice.fingerprint,
  value: Buffer.from(JSON.stringify({ notice, finding, links })),
  headers: {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: notice.id,
    ce_source: 'tallystream',
    ce_type: `incident.${notice.kind}`,
    ce_time: notice.at
  }
})
