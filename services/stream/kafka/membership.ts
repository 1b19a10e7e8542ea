import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer } from 'kafkajs'
import { AssignmentRelay } from '../assignment-relay.ts'
import type { Membership, MembershipCallbacks } from '../log.ts'

/** Pause of a member between looks at its duties; heartbeats are sent when they are due. */
export const IDLE_MS = 250

/**
 * How long leaving may take: beyond, the broker is gone, and it puts the member out by itself.
 * kafkajs would wait without end.
 */
const LEAVE_MS_MAX = 10_000

export type Joined = { consumer: Consumer; topic: string; callbacks: MembershipCallbacks }

/**
 * Membership of a group, without reading: every partition is paused, so the client keeps sending
 * heartbeats and takes part in rebalancing, while the records are fetched elsewhere, from offsets
 * that the lake knows.
 */
export const joinGroup = async ({ consumer, topic, callbacks }: Joined): Promise<Membership> => {
  const relay = new AssignmentRelay(callbacks)
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    // Before the first fetch of this assignment: the event is handled synchronously.
    consumer.pause([{ topic }])
    relay.assign(payload.memberAssignment[topic] ?? [])
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    // With `restart` the client joins again by itself, as after an outage of the broker.
    if (!payload.restart) relay.fail(payload.error)
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatch: async () => {} })
  return {
    leave: async () => {
      await relay.end()
      await Promise.race([consumer.disconnect(), sleep(LEAVE_MS_MAX, undefined, { ref: false })])
    },
    advise: async (next) => {
      const offsets = [...next].map(([partition, offset]) => {
        return { topic, partition, offset: String(offset) }
      })
      await consumer.commitOffsets(offsets).catch(() => undefined)
    }
  }
}
