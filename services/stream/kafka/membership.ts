import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, RetryOptions } from 'kafkajs'
import { AssignmentRelay } from '../assignment-relay.ts'
import type { Membership, MembershipCallbacks } from '../log.ts'

/** Pause of a member between looks at its duties; heartbeats are sent when they are due. */
export const IDLE_MS = 250

/**
 * How long leaving may take: beyond, the broker is gone, and it puts the member out by itself.
 * kafkajs would wait without end.
 */
const LEAVE_MS_MAX = 10_000
/** As many as kafkajs makes by default, before it starts the consumer anew. */
const RETRIES = 5
/**
 * Times in a row that a member whose coordinator was not found joins anew. kafkajs gives up at the
 * first: it does not tell a connection that was cut while it asked from an answer that stays no.
 */
const REJOINS_MAX = 10
/** First pause before joining anew, doubled each time up to the longest: half a minute in all. */
const REJOIN_PAUSE_MS = 250
const REJOIN_PAUSE_MS_MAX = 5_000
const COORDINATOR_NOT_FOUND = 'KafkaJSGroupCoordinatorNotFound'

export type GroupRequest = {
  createConsumer: (retry: RetryOptions) => Consumer
  topic: string
  callbacks: MembershipCallbacks
}

/**
 * Membership of a group, without reading: every partition is paused, so the client keeps sending
 * heartbeats and takes part in rebalancing, while the records are fetched elsewhere, from offsets
 * that the lake knows.
 */
class GroupMember implements Membership {
  readonly #topic: string
  readonly #relay: AssignmentRelay
  readonly #createConsumer: () => Consumer
  #consumer: Consumer
  #rejoins = 0
  #hasLeft = false

  constructor({ createConsumer, topic, callbacks }: GroupRequest) {
    this.#topic = topic
    this.#relay = new AssignmentRelay(callbacks)
    // After an outage of the broker the client joins again by itself, unless it was told to leave:
    // kafkajs forgets a call to leave that comes while it joins.
    const restartOnFailure = async (): Promise<boolean> => !this.#hasLeft
    this.#createConsumer = () => createConsumer({ retries: RETRIES, restartOnFailure })
    this.#consumer = this.#createConsumer()
  }

  async join(): Promise<void> {
    const consumer = this.#consumer
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#rejoins = 0
      // Before the first fetch of this assignment: the event is handled synchronously.
      consumer.pause([{ topic: this.#topic }])
      // Leaving works only once the join is complete, which it is a turn later.
      if (this.#hasLeft) setImmediate(() => void this.leave())
      else this.#relay.assign(payload.memberAssignment[this.#topic] ?? [])
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) void this.#crashed(payload.error)
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [this.#topic], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatch: async () => {} })
  }

  async leave(): Promise<void> {
    this.#hasLeft = true
    await this.#relay.end()
    const isLate = sleep(LEAVE_MS_MAX, undefined, { ref: false })
    await Promise.race([this.#consumer.disconnect(), isLate])
  }

  /** Joins anew after what may pass; reports anything else, and what does not pass. */
  async #crashed(error: Error, mayPass = error.name === COORDINATOR_NOT_FOUND): Promise<void> {
    if (!mayPass || this.#rejoins === REJOINS_MAX) return this.#relay.fail(error)
    await sleep(Math.min(REJOIN_PAUSE_MS * 2 ** this.#rejoins, REJOIN_PAUSE_MS_MAX))
    this.#rejoins += 1
    if (this.#hasLeft) return
    this.#consumer = this.#createConsumer()
    await this.join().catch((failure: Error) => this.#crashed(failure, true))
  }

  async advise(next: ReadonlyMap<number, number>): Promise<void> {
    const offsets = [...next].map(([partition, offset]) => {
      return { topic: this.#topic, partition, offset: String(offset) }
    })
    await this.#consumer.commitOffsets(offsets).catch(() => undefined)
  }
}

/** Joins a group; rejects when the topic or the broker is not there. */
export const joinGroup = async (request: GroupRequest): Promise<Membership> => {
  const member = new GroupMember(request)
  try {
    await member.join()
    return member
  } catch (error) {
    await member.leave()
    throw error
  }
}
