import { Kafka, type Admin, type RetryOptions } from 'kafkajs'
import { Failure } from '../../../schemas/failure.ts'
import type { LogAdmin } from '../log-admin.ts'
import type {
  EventLog,
  Membership,
  MembershipCallbacks,
  OutRecord,
  PartitionState,
  ReadLimits,
  RecordRun
} from '../log.ts'
import { checkRecordSize } from '../records/batch-writer.ts'
import { Cluster, toFailure } from './cluster.ts'
import { Fetcher } from './fetcher.ts'
import { createDial } from './internals.ts'
import { kafkaLogger } from './logger.ts'
import { IDLE_MS, joinGroup } from './membership.ts'
import { retryPassing } from './passing.ts'
import { fetchStates } from './partition-states.ts'
import { Producer } from './producer.ts'
import {
  CLIENT_ID,
  CONNECTION_TIMEOUT_MS,
  METADATA_MAX_AGE_MS,
  SESSION_TIMEOUT_MS,
  TIMEOUT_MS,
  type KafkaSettings
} from './settings.ts'

/** Level of kafkajs that lets errors and warnings through. */
const LOG_WARN = 2
/** Heartbeats in one session timeout, at least: two may be lost. */
const HEARTBEATS_PER_SESSION = 3
/** A member hears by its heartbeats that another one joins, who waits until all have. */
const HEARTBEAT_MS_MAX = 1_000
/** Chosen by the broker's configuration. */
const REPLICATION_BY_BROKER = -1

const createKafka = (settings: KafkaSettings): Kafka =>
  new Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId ?? CLIENT_ID,
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    requestTimeout: settings.timeoutMs ?? TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    logLevel: LOG_WARN,
    logCreator: kafkaLogger(settings.log)
  })

/** A log in a Kafka cluster. Connections are opened when they are first needed. */
export class KafkaLog implements EventLog, LogAdmin {
  readonly #settings: KafkaSettings
  readonly #kafka: Kafka
  readonly #cluster: Cluster
  readonly #fetcher: Fetcher
  readonly #producer: Producer
  readonly #memberships = new Set<Membership>()

  constructor(settings: KafkaSettings) {
    const timeoutMs = settings.timeoutMs ?? TIMEOUT_MS
    this.#settings = settings
    this.#kafka = createKafka(settings)
    this.#cluster = new Cluster(createDial(settings), timeoutMs)
    this.#fetcher = new Fetcher(this.#cluster, timeoutMs)
    this.#producer = new Producer({
      cluster: this.#cluster,
      timeoutMs,
      codec: settings.compression ?? 'none',
      now: () => new Date()
    })
  }

  /** Records of a topic that is created here carry the broker's time of appending. */
  async ensureTopic(topic: string, partitions: number): Promise<boolean> {
    const { retentionMs, replicationFactor = REPLICATION_BY_BROKER } = this.#settings
    const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }]
    if (retentionMs !== undefined) {
      configEntries.push({ name: 'retention.ms', value: String(retentionMs) })
    }
    const isCreated = await this.#administer(`creating ${topic}`, (admin) =>
      admin.createTopics({
        topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
        waitForLeaders: false
      })
    )
    // Its leaders take a moment to be known to all.
    await this.partitions(topic)
    return isCreated
  }

  partitions(topic: string): Promise<PartitionState[]> {
    return retryPassing(() => fetchStates(this.#cluster, topic))
  }

  async append(topic: string, records: readonly OutRecord[]): Promise<void> {
    for (const record of records) checkRecordSize(record)
    if (records.length > 0) await this.#producer.append(topic, records)
  }

  read(topic: string, partition: number, offset: number, limits: ReadLimits): Promise<RecordRun> {
    return this.#fetcher.read({ topic, partition, offset }, limits)
  }

  reuse(run: RecordRun): void {
    this.#fetcher.reuse(run)
  }

  async join(topic: string, group: string, callbacks: MembershipCallbacks): Promise<Membership> {
    const sessionTimeout = this.#settings.sessionTimeoutMs ?? SESSION_TIMEOUT_MS
    const createConsumer = (retry: RetryOptions) =>
      this.#kafka.consumer({
        groupId: group,
        sessionTimeout,
        heartbeatInterval: Math.min(
          HEARTBEAT_MS_MAX,
          Math.floor(sessionTimeout / HEARTBEATS_PER_SESSION)
        ),
        metadataMaxAge: this.#settings.metadataMaxAgeMs ?? METADATA_MAX_AGE_MS,
        maxWaitTimeInMs: IDLE_MS,
        allowAutoTopicCreation: false,
        retry
      })
    try {
      const membership = await joinGroup({ createConsumer, topic, callbacks })
      this.#memberships.add(membership)
      return membership
    } catch (error) {
      throw toFailure(error, `joining ${group}`)
    }
  }

  async deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
    const states = await this.partitions(topic)
    const state = states.find((one) => one.partition === partition)
    if (state === undefined) {
      throw new Failure('E_LOG_UNAVAILABLE', `topic ${topic} has no partition ${partition}`)
    }
    if (offset <= state.start) return
    await this.#administer(`deleting from ${topic}`, async (admin) => {
      // Without its metadata loaded first, kafkajs does not find the leader.
      await admin.fetchTopicMetadata({ topics: [topic] })
      const until = String(Math.min(offset, state.end))
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: until }] })
    })
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await this.#administer(`adding partitions to ${topic}`, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })
    )
    // The controller has them before all brokers know.
    await retryPassing(async () => {
      this.#cluster.forget(topic)
      const { length } = await fetchStates(this.#cluster, topic)
      if (length < partitions) throw unseen(topic, length, partitions)
    })
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#administer(`deleting ${topic}`, async (admin) => {
      const topics = await admin.listTopics()
      if (topics.includes(topic)) await admin.deleteTopics({ topics: [topic] })
    })
    this.#cluster.forget(topic)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#memberships].map((membership) => membership.leave()))
    await this.#producer.drained()
    this.#fetcher.close()
    await this.#cluster.close()
  }

  async #administer<T>(doing: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#kafka.admin()
    try {
      await admin.connect()
      return await work(admin)
    } catch (error) {
      throw toFailure(error, doing)
    } finally {
      await admin.disconnect()
    }
  }
}

const unseen = (topic: string, length: number, partitions: number): Failure =>
  new Failure('E_LOG_UNAVAILABLE', `${topic} has ${partitions} partitions and shows ${length}`, {
    retriable: true,
    hint: 'Its brokers do not know of them yet: look again in a moment.'
  })
