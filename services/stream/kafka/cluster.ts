import { Failure } from '../../../schemas/failure.ts'
import type { Address, Connection, Dial } from './internals.ts'
import { fetchMetadata, type TopicMetadata } from './metadata.ts'

/** A node that leads some partitions of a topic. */
export type NodeLane = {
  metadata: TopicMetadata
  node: number
  /** One of several connections to the node, since answers of one wait for each other. */
  lane?: number
}

type Door = { name: string; address: Address | undefined }

/** Any error of the client as a Failure; trouble with network or broker may pass. */
export const toFailure = (error: unknown, doing: string): Failure => {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Failure('E_LOG_UNAVAILABLE', `${doing}: ${message}`, {
    retriable: true,
    hint: 'Check that the brokers run and can be reached from here.',
    cause: error
  })
}

/** One of the addresses that the settings name; any broker knows the whole cluster. */
const SEED: Door = { name: 'seed', address: undefined }

/**
 * Connections to the brokers and what they know of topics. A connection on which a call failed is
 * closed, and opened anew when it is next needed; nothing is retried here.
 */
export class Cluster {
  readonly #dial: Dial
  readonly #timeoutMs: number
  readonly #topics = new Map<string, TopicMetadata>()
  #isClosed = false
  readonly #asked = new Map<string, Promise<TopicMetadata>>()
  readonly #connections = new Map<string, Promise<Connection>>()

  constructor(dial: Dial, timeoutMs: number) {
    this.#dial = dial
    this.#timeoutMs = timeoutMs
  }

  /**
   * What is known of a topic; asks a broker when nothing is.
   * @throws Failure E_LOG_UNAVAILABLE
   */
  async topic(topic: string): Promise<TopicMetadata> {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    // Callers that ask at the same time share one question.
    const asked = this.#asked.get(topic) ?? this.refresh(topic)
    this.#asked.set(topic, asked)
    return asked.finally(() => this.#asked.delete(topic))
  }

  /** Asks a broker about a topic anew. */
  async refresh(topic: string): Promise<TopicMetadata> {
    this.#topics.delete(topic)
    const metadata = await this.#use(SEED, (connection) =>
      fetchMetadata(connection, topic, this.#timeoutMs)
    )
    this.#topics.set(topic, metadata)
    return metadata
  }

  /** Makes the next call ask a broker about a topic anew: its leaders may have moved. */
  forget(topic: string): void {
    this.#topics.delete(topic)
  }

  /** Runs `use` with a connection to some broker of the cluster. */
  onAny<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#use(SEED, use)
  }

  /**
   * Runs `use` with a connection to a node.
   * @throws Failure E_LOG_UNAVAILABLE when it fails; a Failure of `use` as it is.
   */
  onNode<T>(
    { metadata, node, lane = 0 }: NodeLane,
    use: (connection: Connection) => Promise<T>
  ): Promise<T> {
    const address = metadata.nodes.get(node)
    if (address === undefined) {
      const message = `a partition of ${metadata.topic} has no leader`
      return Promise.reject(new Failure('E_LOG_UNAVAILABLE', message, { retriable: true }))
    }
    return this.#use({ name: `${address.host}:${address.port} ${lane}`, address }, use)
  }

  /** Closes all connections and refuses to open any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#connections.keys()].map((name) => this.#drop(name)))
  }

  async #use<T>(door: Door, use: (connection: Connection) => Promise<T>): Promise<T> {
    const { name } = door
    const connection = await this.#open(door)
    try {
      return await use(connection)
    } catch (error) {
      if (!(error instanceof Failure)) void this.#drop(name)
      throw toFailure(error, `broker ${name}`)
    }
  }

  /** Callers that ask at the same time share one dial, and its failure. */
  async #open(door: Door): Promise<Connection> {
    const { name, address } = door
    if (this.#isClosed) throw new Failure('E_LOG_UNAVAILABLE', 'the log was closed')
    const known = this.#connections.get(name)
    if (known !== undefined) {
      const connection = await known
      if (connection.isOpen()) return connection
      if (this.#connections.get(name) === known) void this.#drop(name)
      return this.#open(door)
    }
    const dialled = this.#dial(address).catch((error: unknown) => {
      this.#connections.delete(name)
      throw toFailure(error, `broker ${name}`)
    })
    this.#connections.set(name, dialled)
    return dialled
  }

  async #drop(name: string): Promise<void> {
    const connection = this.#connections.get(name)
    this.#connections.delete(name)
    await connection?.then((open) => open.close()).catch(() => undefined)
  }
}
