import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../schemas/failure.ts'
import { noRelayCounts, type RelayCounts, type RelayTopic } from './relay-records.ts'
import { relayPartition, type RelayDoors } from './relay-partition.ts'

const add = (sum: RelayCounts, { records, events, refused, ignored }: RelayCounts): void => {
  sum.records += records
  sum.events += events
  sum.refused += refused
  sum.ignored += ignored
}

/**
 * Takes a topic in up to where it ends now.
 * @throws Failure E_LOG_UNAVAILABLE and what else the log or a registry refuses.
 */
export const relayToEnd = async (
  topic: RelayTopic,
  doors: RelayDoors,
  signal: AbortSignal = new AbortController().signal
): Promise<RelayCounts> => {
  const sum = noRelayCounts()
  const counting = {
    ...doors,
    onProgress: (counts: RelayCounts) => (add(sum, counts), doors.onProgress(counts))
  }
  for (const { partition, end } of await doors.log.partitions(topic.topic)) {
    await relayPartition(topic, partition, counting, { end, signal })
  }
  return sum
}

/** A relay that goes on until it is stopped. */
export type Relay = {
  /** Rejects when it can not go on. */
  ended: Promise<void>
  stop: () => Promise<void>
}

export type RelayOptions = RelayDoors & {
  /** Told of what it waits out: brokers or a registry that are away. */
  onRetry: (failure: Failure) => void
}

/** About what a broker needs to come back; each try costs one request. */
const RETRY_MS = 1000

/**
 * Takes topics in for as long as it runs. Processes on one site share the partitions of a topic
 * as members of a group.
 */
export const startRelay = async (
  topics: readonly RelayTopic[],
  options: RelayOptions
): Promise<Relay> => {
  const stopping = new AbortController()
  const failed: { reject: (error: unknown) => void } = { reject: () => undefined }
  const ended = new Promise<void>((_resolve, reject) => (failed.reject = reject))
  ended.catch(() => undefined)
  const shares = topics.map((topic) => new Share(topic, options, stopping.signal, failed.reject))
  await Promise.all(shares.map((share) => share.join()))
  return {
    ended,
    stop: async () => {
      stopping.abort()
      await Promise.all(shares.map((share) => share.leave()))
    }
  }
}

/** The partitions of one topic that this process reads. */
class Share {
  readonly #topic: RelayTopic
  readonly #options: RelayOptions
  readonly #signal: AbortSignal
  readonly #fail: (error: unknown) => void
  readonly #running = new Map<number, { controller: AbortController; done: Promise<void> }>()
  #leave: () => Promise<void> = async () => undefined

  constructor(
    topic: RelayTopic,
    options: RelayOptions,
    signal: AbortSignal,
    fail: (error: unknown) => void
  ) {
    this.#topic = topic
    this.#options = options
    this.#signal = signal
    this.#fail = fail
  }

  async join(): Promise<void> {
    const { topic } = this.#topic
    const membership = await this.#options.log.join(topic, `relay.${topic}`, {
      assigned: (partitions) => this.#assign(partitions),
      failed: this.#fail
    })
    this.#leave = () => membership.leave()
  }

  async leave(): Promise<void> {
    await this.#assign([])
    await this.#leave()
  }

  async #assign(partitions: readonly number[]): Promise<void> {
    const gone = [...this.#running].filter(([partition]) => !partitions.includes(partition))
    for (const [partition, { controller }] of gone) {
      controller.abort()
      this.#running.delete(partition)
    }
    await Promise.all(gone.map(([, { done }]) => done))
    if (this.#signal.aborted) return
    for (const partition of partitions) if (!this.#running.has(partition)) this.#start(partition)
  }

  #start(partition: number): void {
    const controller = new AbortController()
    const done = this.#keepOn(partition, controller.signal).catch(this.#fail)
    this.#running.set(partition, { controller, done })
  }

  async #keepOn(partition: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await relayPartition(this.#topic, partition, this.#options, { end: null, signal })
      } catch (error) {
        if (!(error instanceof Failure) || !error.retriable) throw error
        this.#options.onRetry(error)
        await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}
