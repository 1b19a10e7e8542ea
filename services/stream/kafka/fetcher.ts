import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../schemas/failure.ts'
import type { ReadLimits, RecordRun } from '../log.ts'
import { readRun } from '../records/record-columns.ts'
import { SpareMemory } from '../records/spare-memory.ts'
import { ERROR, PASSING_ERRORS } from './api.ts'
import { toFailure, type Cluster } from './cluster.ts'
import { fetchBatches, type Answers, type FetchAnswer } from './fetch-request.ts'
import type { TopicMetadata } from './metadata.ts'
import { fetchStates } from './partition-states.ts'

/**
 * Reads of many partitions, joined into few requests. A broker answers the requests of one
 * connection in order and holds an answer back until there is something new. So a read first asks
 * what is there now, on connections where nothing is held back; only when there is nothing it
 * joins those that wait, on connections of their own. Idle partitions never slow busy ones down.
 */

export type ReadPosition = { topic: string; partition: number; offset: number }

type Waiting = {
  position: ReadPosition
  limits: ReadLimits
  deadlineMs: number
  /** How often a passing error of the broker sent the read round again. */
  attempts: number
  /** Leader epoch under which it is asked: any other leader refuses it. */
  leader: number
  resolve: (run: RecordRun) => void
  reject: (error: unknown) => void
  isOver: () => boolean
}

/** Connections for reads that ask what is there now: one is filled while another is read. */
const LANES_NOW = [1, 2] as const
/** Connections for reads that wait: reads that begin to wait meanwhile go out on the next one. */
const LANES_WAITING = [3, 4, 5] as const
/** A broker holds an answer back no longer: bounds how long a read waits for a free lane. */
const HOLD_MS_MAX = 500
/** Times that a read is sent again for errors that pass, such as a leader that moves. */
const ATTEMPTS_MAX = 5
/** Pause before such a read is sent again: elections take about as long. */
const ATTEMPT_PAUSE_MS = 100

/** Reads of one topic from one node. */
type Group = {
  metadata: TopicMetadata
  node: number
  /** Reads that were not sent yet. */
  fresh: Waiting[]
  /** Reads that found nothing and have time left. */
  held: Waiting[]
  /** Connections with a request under way. */
  busy: Set<number>
}

type Request = { lane: number; reads: readonly Waiting[]; waitMs: number }

/** Before its first request a read has no leader. */
const NO_LEADER = -1

const emptyRun = ({ partition, offset }: ReadPosition): RecordRun =>
  readRun([], { partition, offset })

/**
 * A leader that was not in sync lacks records which its predecessor gave out, and gives their
 * offsets again (KIP-320): whoever had them looks whether they are still there.
 */
const anotherLeads = ({ topic, partition, offset }: ReadPosition): Failure =>
  new Failure(
    'E_LOG_UNAVAILABLE',
    `${topic} partition ${partition} at ${offset}: another leader took over`,
    { retriable: true, hint: 'Nothing to do: its tail is compared, and reading goes on.' }
  )

const createGroup = (metadata: TopicMetadata, node: number): Group => ({
  metadata,
  node,
  fresh: [],
  held: [],
  busy: new Set()
})

/** Distinct partitions to ask for now, and the reads that have to wait for the next request. */
const select = (waiting: readonly Waiting[]): { taken: Waiting[]; left: Waiting[] } => {
  const taken = new Map<number, Waiting>()
  const left: Waiting[] = []
  for (const read of waiting) {
    if (read.isOver()) continue
    const { partition } = read.position
    if (taken.has(partition)) left.push(read)
    else taken.set(partition, read)
  }
  return { taken: [...taken.values()], left }
}

export class Fetcher {
  readonly #timeoutMs: number
  readonly #cluster: Cluster
  readonly #groups = new Map<string, Group>()
  readonly #closing = new AbortController()
  /** What runs lay in before. */
  readonly #memory = new SpareMemory()

  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster
    this.#timeoutMs = timeoutMs
  }

  /**
   * Records from a position on, or an empty run when there are none in time.
   * @throws Failure E_LOG_UNAVAILABLE (also when `limits.leader` is not the leader any more),
   *   E_LOG_RECREATED, E_LOG_GAP, E_LOG_TRUNCATED; E_LOG_CORRUPT when the broker itself can not
   *   read its log.
   */
  read(position: ReadPosition, limits: ReadLimits): Promise<RecordRun> {
    const signals = [this.#closing.signal, ...(limits.signal ? [limits.signal] : [])]
    return new Promise((resolve, reject) => {
      let isOver = false
      const settle = <T>(hand: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          if (isOver) return
          isOver = true
          for (const signal of signals) signal.removeEventListener('abort', onAbort)
          hand(value)
        }
      }
      const done = settle(resolve)
      const onAbort = (): void => done(emptyRun(position))
      for (const signal of signals) signal.addEventListener('abort', onAbort)
      if (signals.some(({ aborted }) => aborted)) onAbort()
      void this.#send({
        position,
        limits,
        deadlineMs: performance.now() + limits.waitMsMax,
        attempts: 0,
        leader: NO_LEADER,
        resolve: done,
        reject: settle(reject),
        isOver: () => isOver
      })
    })
  }

  /** Takes back what a run lay in. */
  reuse({ bytes }: RecordRun): void {
    this.#memory.give(bytes)
  }

  /** Ends all reads with empty runs. */
  close(): void {
    this.#closing.abort()
  }

  async #send(read: Waiting): Promise<void> {
    const { topic, partition } = read.position
    try {
      const metadata = await this.#metadata(topic, read.limits.incarnation)
      const node = metadata.leaders[partition]
      if (node === undefined) {
        throw new Failure('E_LOG_UNAVAILABLE', `topic ${topic} has no partition ${partition}`)
      }
      const leader = metadata.leaderEpochs[partition] ?? NO_LEADER
      read.leader = read.limits.leader ?? leader
      if (leader > read.leader) throw anotherLeads(read.position)
      const group = this.#group(metadata, node)
      group.fresh.push(read)
      // One turn of the event loop, so that reads of the same moment share a request.
      setImmediate(() => this.#pump(group))
    } catch (error) {
      read.reject(error)
    }
  }

  async #metadata(topic: string, incarnation: string | undefined): Promise<TopicMetadata> {
    const known = await this.#cluster.topic(topic)
    if (incarnation === undefined || known.incarnation === incarnation) return known
    const newest = await this.#cluster.refresh(topic)
    if (newest.incarnation === incarnation) return newest
    const message = `topic ${topic} is ${newest.incarnation}, not ${incarnation}`
    throw new Failure('E_LOG_RECREATED', message)
  }

  #group(metadata: TopicMetadata, node: number): Group {
    const name = `${node} ${metadata.incarnation}`
    const group = this.#groups.get(name) ?? createGroup(metadata, node)
    group.metadata = metadata
    this.#groups.set(name, group)
    return group
  }

  #pump(group: Group): void {
    for (const lane of LANES_NOW.filter((one) => !group.busy.has(one))) {
      const { taken, left } = select(group.fresh)
      group.fresh = left
      if (taken.length > 0) void this.#fetch(group, { lane, reads: taken, waitMs: 0 })
    }
    for (const lane of LANES_WAITING.filter((one) => !group.busy.has(one))) {
      const { taken, left } = select(group.held)
      group.held = left
      const leftMs = taken.map(({ deadlineMs }) => deadlineMs - performance.now())
      const waitMs = Math.ceil(Math.max(Math.min(...leftMs, HOLD_MS_MAX), 0))
      if (taken.length > 0) void this.#fetch(group, { lane, reads: taken, waitMs })
    }
  }

  async #fetch(group: Group, { lane, reads, waitMs }: Request): Promise<void> {
    const { metadata, node } = group
    const queries = reads.map(
      ({ position: { partition, offset }, limits: { bytesMax }, leader }) => {
        return { partition, offset, bytesMax, leader }
      }
    )
    group.busy.add(lane)
    try {
      await this.#cluster.onNode({ metadata, node, lane }, (connection) =>
        fetchBatches(connection, { metadata, queries, waitMs }, this.#timeoutMs, (answers) =>
          this.#settleAll(group, reads, answers)
        )
      )
    } catch (error) {
      this.#cluster.forget(metadata.topic)
      for (const { reject } of reads) reject(toFailure(error, `fetching ${metadata.topic}`))
    } finally {
      group.busy.delete(lane)
      this.#pump(group)
    }
  }

  #settleAll(group: Group, reads: readonly Waiting[], { error, answers }: Answers): void {
    const byPartition = new Map(answers.map((answer) => [answer.partition, answer]))
    for (const read of reads) {
      const answer = byPartition.get(read.position.partition)
      if (answer !== undefined && error === ERROR.none) this.#settle(group, read, answer)
      else void this.#settleError(read, error)
    }
  }

  #settle(group: Group, read: Waiting, { error, batches, aborted }: FetchAnswer): void {
    if (error !== ERROR.none) return void this.#settleError(read, error)
    const { partition, offset } = read.position
    const run = readRun(
      [batches],
      { partition, offset, aborted, leader: read.leader },
      this.#memory
    )
    const isDone = run.next > offset || performance.now() >= read.deadlineMs
    if (isDone) read.resolve(run)
    else group.held.push(read)
  }

  async #settleError(read: Waiting, error: number): Promise<void> {
    const { topic, partition, offset } = read.position
    if (error === ERROR.offsetOutOfRange) return this.#settleOutOfRange(read)
    if (error === ERROR.fencedLeaderEpoch && read.limits.leader != null) {
      this.#cluster.forget(topic)
      return read.reject(anotherLeads(read.position))
    }
    const mayPass = PASSING_ERRORS.has(error)
    if (mayPass && read.attempts < ATTEMPTS_MAX) {
      this.#cluster.forget(topic)
      await sleep(ATTEMPT_PAUSE_MS * read.attempts)
      read.attempts++
      return this.#send(read)
    }
    const code = error === ERROR.corruptMessage ? 'E_LOG_CORRUPT' : 'E_LOG_UNAVAILABLE'
    const message = `${topic} partition ${partition} at ${offset}: the broker gives error ${error}`
    read.reject(new Failure(code, message, { retriable: mayPass }))
  }

  /** The broker does not say on which side of its log the offset lies. */
  async #settleOutOfRange(read: Waiting): Promise<void> {
    const { topic, partition, offset } = read.position
    try {
      const { incarnation } = await this.#metadata(topic, read.limits.incarnation)
      const states = await fetchStates(this.#cluster, topic)
      const state = states.find((one) => one.partition === partition)
      const { start = 0, end = 0 } = state ?? {}
      const where = `${topic} (${incarnation}) partition ${partition}`
      const message = `${where} holds offsets ${start} to ${end - 1}, not ${offset}`
      throw new Failure(offset < start ? 'E_LOG_GAP' : 'E_LOG_TRUNCATED', message)
    } catch (error) {
      read.reject(error)
    }
  }
}
