import { createRequire } from 'node:module'
import { Failure } from '../../../schemas/failure.ts'
import { SpareMemory } from '../records/spare-memory.ts'
import { answerSockets } from './answer-socket.ts'
import { CLIENT_ID, CONNECTION_TIMEOUT_MS, TIMEOUT_MS, type KafkaSettings } from './settings.ts'
import { kafkaLogger } from './logger.ts'

/**
 * The one file that reaches into kafkajs. Its connections (sockets, TLS, SASL, request queue) are
 * kept; requests and answers of newer versions are encoded here, which gives topic ids, raw record
 * batches without an object per record, and a sound idempotent producer. The version is checked,
 * since none of this is a public interface.
 */

const VERSION = '2.2.4'

/** What a broker serves: versions by API key. */
type Versions = Readonly<Record<number, { minVersion: number; maxVersion: number }>>

type RawRequest = {
  request: {
    apiKey: number
    apiVersion: number
    apiName: string
    encode: () => Promise<unknown>
  }
  response: {
    decode: (payload: Buffer) => Promise<{ bytes: Buffer }>
    parse: (decoded: { bytes: Buffer }) => Promise<Buffer>
  }
  requestTimeout: number
  logResponseError: boolean
}

type RawConnection = {
  send: (request: RawRequest) => Promise<Buffer>
  rejectRequests: (error: Error) => void
}

type RawPool = {
  getConnection: () => Promise<RawConnection>
  map: (use: (connection: RawConnection) => void) => void
}

/** Whose records count: of every producer, or only those of transactions that are over. */
export type Isolation = typeof UNCOMMITTED | typeof COMMITTED
export const UNCOMMITTED = 0
export const COMMITTED = 1

export type OffsetQuery = { topic: string; partitions: { partition: number; timestamp: number }[] }

type RawBroker = {
  versions: Versions
  connect: () => Promise<void>
  disconnect: () => Promise<void>
  isConnected: () => boolean
  initProducerId: (request: {
    transactionalId: undefined
    transactionTimeout: number
  }) => Promise<{ producerId: string; producerEpoch: number }>
  listOffsets: (request: {
    replicaId: -1
    isolationLevel: Isolation
    topics: OffsetQuery[]
  }) => Promise<{
    responses: { topic: string; partitions: { partition: number; offset: string }[] }[]
  }>
}

type RawEncoder = { writeBuffer: (bytes: Buffer) => RawEncoder }

type Internals = {
  ConnectionPoolBuilder: (options: object) => { build: (where?: object) => Promise<RawPool> }
  Broker: new (options: object) => RawBroker
  Encoder: new () => RawEncoder
  createLogger: (options: object) => unknown
}

type RequestQueue = {
  pending: readonly unknown[]
  throttledUntil: number
  scheduleCheckPendingRequests: () => void
}

const load = createRequire(import.meta.url)

/**
 * kafkajs sets a timer after every answer, even when nothing waits for one, and with a negative
 * time, of which newer Node warns (tulios/kafkajs#1751). Here it is set when there is a reason.
 */
const calmRequestQueue = ({ prototype }: { prototype: RequestQueue }): void => {
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function scheduleWhenNeeded(this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}

type RawChunks = { bytesBuffered: number; chunks: Buffer[]; processData: (data: Buffer) => void }

/**
 * kafkajs keeps an empty rest of the last answer and copies the next one together with it. Our
 * sockets bring whole answers, which leave no rest.
 */
const copyNoAnswer = ({ prototype }: { prototype: RawChunks }): void => {
  const process = prototype.processData
  prototype.processData = function processWhole(this: RawChunks, data) {
    if (this.bytesBuffered === 0) this.chunks = []
    process.call(this, data)
  }
}

const loadInternals = (): Internals => {
  const { version } = load('kafkajs/package.json') as { version: string }
  if (version !== VERSION) {
    throw new Failure('E_INTERNAL', `kafkajs is ${version}, and ${VERSION} is what was tested`, {
      hint: `Install kafkajs ${VERSION}, or adapt and test services/stream/kafka/internals.ts.`
    })
  }
  calmRequestQueue(load('kafkajs/src/network/requestQueue'))
  copyNoAnswer(load('kafkajs/src/network/connection'))
  return {
    ConnectionPoolBuilder: load('kafkajs/src/cluster/connectionPoolBuilder'),
    Broker: load('kafkajs/src/broker'),
    Encoder: load('kafkajs/src/protocol/encoder'),
    createLogger: (load('kafkajs/src/loggers') as { createLogger: Internals['createLogger'] })
      .createLogger
  }
}

const internals = loadInternals()

export type Address = { host: string; port: number }

export type Call = {
  apiKey: number
  apiName: string
  apiVersion: number
  body: Buffer
  timeoutMs: number
}

/** A connection to one broker, authenticated. Answers of one connection come in order. */
export type Connection = {
  /** Sends a flexible request and resolves with its answer, from the tagged fields on. */
  call: (call: Call) => Promise<Buffer>
  /** Takes an answer back once nothing refers to it, so that its memory is used again. */
  release: (answer: Buffer) => void
  /** The highest version of an API that the broker serves; 0 when it does not serve it. */
  versionMax: (apiKey: number) => number
  initProducerId: () => Promise<{ producerId: number; producerEpoch: number }>
  /** Offsets at timestamps: -2 the first one, -1 the next to come (last stable). */
  listOffsets: (query: OffsetQuery, isolation: Isolation) => Promise<Map<number, number>>
  isOpen: () => boolean
  close: () => Promise<void>
}

/** Opens connections: to a broker by address, or to one of the seeds when none is given. */
export type Dial = (address?: Address) => Promise<Connection>

const toConnection = (broker: RawBroker, pool: RawPool, memory: SpareMemory): Connection => ({
  release: (answer) => memory.give(answer),
  call: async ({ apiKey, apiName, apiVersion, body, timeoutMs }) => {
    const connection = await pool.getConnection()
    return connection.send({
      request: {
        apiKey,
        apiName,
        apiVersion,
        // A flexible request has tagged fields between header and body; there are none.
        encode: async () => new internals.Encoder().writeBuffer(Buffer.from([0])).writeBuffer(body)
      },
      response: {
        decode: async (bytes) => ({ bytes }),
        parse: async ({ bytes }) => bytes
      },
      requestTimeout: timeoutMs,
      logResponseError: false
    })
  },
  versionMax: (apiKey) => broker.versions[apiKey]?.maxVersion ?? 0,
  initProducerId: async () => {
    const request = { transactionalId: undefined, transactionTimeout: TIMEOUT_MS }
    const { producerId, producerEpoch } = await broker.initProducerId(request)
    return { producerId: Number(producerId), producerEpoch }
  },
  listOffsets: async (query, isolationLevel) => {
    const request = { replicaId: -1 as const, isolationLevel, topics: [query] }
    const { responses } = await broker.listOffsets(request)
    const all = responses.flatMap(({ partitions }) => partitions)
    return new Map(all.map(({ partition, offset }) => [partition, Number(offset)]))
  },
  isOpen: () => broker.isConnected(),
  close: () => {
    // kafkajs waits for pending answers without end, even when the broker is gone.
    pool.map((connection) => connection.rejectRequests(new Error('the connection was closed')))
    return broker.disconnect()
  }
})

/** How to open connections with given settings. */
export const createDial = (settings: KafkaSettings): Dial => {
  const logger = internals.createLogger({ level: 2, logCreator: kafkaLogger(settings.log) })
  const memory = new SpareMemory()
  const builder = internals.ConnectionPoolBuilder({
    socketFactory: answerSockets(memory),
    brokers: [...settings.brokers],
    ssl: settings.ssl,
    sasl: settings.sasl,
    clientId: settings.clientId ?? CLIENT_ID,
    requestTimeout: settings.timeoutMs ?? TIMEOUT_MS,
    enforceRequestTimeout: true,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    logger
  })
  return async (address) => {
    const connectionPool = await builder.build(address)
    const broker = new internals.Broker({ connectionPool, logger })
    try {
      await broker.connect()
    } catch (error) {
      await broker.disconnect()
      throw error
    }
    return toConnection(broker, connectionPool, memory)
  }
}
