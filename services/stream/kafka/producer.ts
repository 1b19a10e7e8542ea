import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../schemas/failure.ts'
import { AppendQueue, type PendingAppend } from '../append-queue.ts'
import type { OutRecord } from '../log.ts'
import type { BatchWriter, Codec } from '../records/batch-writer.ts'
import { toLanes, type Lane } from '../records/lanes.ts'
import { ERROR, PASSING_ERRORS, SEQUENCE_ERRORS } from './api.ts'
import { toFailure, type Cluster } from './cluster.ts'
import { produceBatches, type ProduceBatch } from './produce-request.ts'

/**
 * Appends with acks from all replicas, idempotently: the broker drops a batch that it has already
 * when an answer was lost and the batch is sent again. kafkajs's own producer takes a sequence
 * number back after giving up; if the batch had arrived, the broker then takes the next, different
 * batch for a repetition and acknowledges what it drops. Here a batch that was given up retires
 * the producer's identity, so that no number is ever used for two batches.
 */

type Identity = { id: number; epoch: number; sequences: Map<string, number> }

/** A batch on its way. It keeps its number for all attempts under one identity. */
type Shipment = {
  topic: string
  partition: number
  writer: BatchWriter
  producer: { id: number; epoch: number; sequence: number } | null
}

type Errors = Map<Shipment, Failure>

export type ProducerOptions = { cluster: Cluster; timeoutMs: number; codec: Codec; now: () => Date }

/** Pauses between attempts: doubled from the first to the last. */
const PAUSE_MS_MIN = 50
const PAUSE_MS_MAX = 1000
/** Sequence numbers start again at 0 behind this. */
const SEQUENCE_MAX = 2 ** 31 - 1
/** Stands for the leader of a partition that has none. */
const NO_NODE = -1

const nameOf = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${partition} ${topic}`

/** One batch of each lane that has as many. */
const shipmentsOf = (lanes: readonly Lane[], round: number): Shipment[] =>
  lanes.flatMap(({ topic, partition, batches }) => {
    const writer = batches[round]
    return writer === undefined ? [] : [{ topic, partition, writer, producer: null }]
  })

export class Producer {
  readonly #options: ProducerOptions
  readonly #queue = new AppendQueue((appends) => this.#commit(appends))
  #identity: Identity | null = null

  constructor(options: ProducerOptions) {
    this.#options = options
  }

  /** @throws Failure E_LOG_UNAVAILABLE, E_BACKPRESSURE, E_BODY_TOO_LARGE */
  append(topic: string, records: readonly OutRecord[]): Promise<void> {
    return this.#queue.append(topic, records)
  }

  drained(): Promise<void> {
    return this.#queue.drained()
  }

  async #commit(appends: readonly PendingAppend[]): Promise<void> {
    const deadlineMs = performance.now() + this.#options.timeoutMs
    try {
      const partitions = new Map<string, number>()
      for (const { topic } of appends) {
        partitions.set(topic, (await this.#options.cluster.topic(topic)).leaders.length)
      }
      const lanes = toLanes(appends, (topic) => partitions.get(topic) ?? 0)
      const rounds = Math.max(...lanes.map(({ batches }) => batches.length))
      for (let round = 0; round < rounds; round++) {
        await this.#ship(shipmentsOf(lanes, round), deadlineMs)
      }
    } catch (error) {
      // What was under way may have arrived or not: its numbers must not be used again.
      this.#identity = null
      throw toFailure(error, 'appending')
    }
  }

  /** Sends one batch for each partition until all have arrived. */
  async #ship(shipments: readonly Shipment[], deadlineMs: number): Promise<void> {
    let left = shipments
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      const errors = await this.#attempt(left)
      left = left.filter((shipment) => errors.has(shipment))
      if (left.length === 0) return
      const isLate = performance.now() + pauseMs >= deadlineMs
      const fatal = [...errors.values()].find((error) => isLate || !error.retriable)
      if (fatal !== undefined) throw fatal
      await sleep(pauseMs)
    }
  }

  /** Sends all batches once; what did not arrive has its error. */
  async #attempt(shipments: readonly Shipment[]): Promise<Errors> {
    const errors: Errors = new Map()
    try {
      await this.#number(shipments)
      const byNode = new Map<number, Shipment[]>()
      for (const shipment of shipments) {
        const { leaders } = await this.#options.cluster.topic(shipment.topic)
        const node = leaders[shipment.partition] ?? NO_NODE
        byNode.set(node, [...(byNode.get(node) ?? []), shipment])
      }
      await Promise.all([...byNode].map(([node, some]) => this.#send(node, some, errors)))
    } catch (error) {
      for (const shipment of shipments) errors.set(shipment, toFailure(error, 'appending'))
    }
    for (const { topic } of errors.keys()) this.#options.cluster.forget(topic)
    return errors
  }

  /** Gives each batch the next number of its partition, unless it has one of this identity. */
  async #number(shipments: readonly Shipment[]): Promise<void> {
    this.#identity ??= await this.#identify()
    const { id, epoch, sequences } = this.#identity
    for (const shipment of shipments) {
      if (shipment.producer?.id === id) continue
      const sequence = sequences.get(nameOf(shipment)) ?? 0
      sequences.set(nameOf(shipment), (sequence + shipment.writer.count) % (SEQUENCE_MAX + 1))
      shipment.producer = { id, epoch, sequence }
    }
  }

  async #identify(): Promise<Identity> {
    const { cluster } = this.#options
    const { producerId, producerEpoch } = await cluster.onAny((connection) =>
      connection.initProducerId()
    )
    return { id: producerId, epoch: producerEpoch, sequences: new Map() }
  }

  async #send(node: number, shipments: readonly Shipment[], errors: Errors): Promise<void> {
    const { cluster, timeoutMs } = this.#options
    try {
      const metadata = await cluster.topic(shipments[0]!.topic)
      const batches = shipments.map((shipment) => this.#seal(shipment))
      const answers = await cluster.onNode({ metadata, node }, (connection) =>
        produceBatches(connection, batches, timeoutMs)
      )
      const byName = new Map(answers.map((answer) => [nameOf(answer), answer.error]))
      for (const shipment of shipments) {
        const failure = this.#judge(
          shipment,
          byName.get(nameOf(shipment)) ?? ERROR.networkException
        )
        if (failure !== null) errors.set(shipment, failure)
      }
    } catch (error) {
      for (const shipment of shipments) errors.set(shipment, toFailure(error, 'appending'))
    }
  }

  #seal({ topic, partition, writer, producer }: Shipment): ProduceBatch {
    const { codec, now } = this.#options
    const timeMs = now().getTime()
    const place = producer === null ? {} : { producer }
    return { topic, partition, batch: writer.seal({ baseOffset: 0, timeMs, codec, ...place }) }
  }

  /** Null when the batch is in the log. */
  #judge({ topic, partition }: Shipment, error: number): Failure | null {
    if (error === ERROR.none || error === ERROR.duplicateSequenceNumber) return null
    const message = `${topic} partition ${partition}: the broker gives error ${error} for a batch`
    if (error === ERROR.messageTooLarge) return new Failure('E_BODY_TOO_LARGE', message)
    if (SEQUENCE_ERRORS.has(error)) this.#identity = null
    const retriable = PASSING_ERRORS.has(error) || SEQUENCE_ERRORS.has(error)
    return new Failure('E_LOG_UNAVAILABLE', message, { retriable })
  }
}
