import { Failure } from '../../../schemas/failure.ts'
import type { PartitionState } from '../log.ts'
import { toFailure, type Cluster } from './cluster.ts'
import { COMMITTED, UNCOMMITTED } from './internals.ts'
import type { TopicMetadata } from './metadata.ts'

/** Timestamps with a meaning of their own in a question for offsets. */
const EARLIEST = -2
const LATEST = -1

const partitionsByNode = ({ leaders }: TopicMetadata): Map<number, number[]> => {
  const byNode = new Map<number, number[]>()
  for (const [partition, node] of leaders.entries()) {
    byNode.set(node, [...(byNode.get(node) ?? []), partition])
  }
  return byNode
}

type Offsets = ReadonlyMap<number, number>

type Bounds = { starts: Offsets; written: Offsets; ends: Offsets }

/**
 * First and next offset of all partitions of one node, asked for one after the other: what was
 * written before where reading ends, so that a record in between is not taken for one held back.
 */
const listOffsets = async (
  cluster: Cluster,
  metadata: TopicMetadata,
  [node, partitions]: [number, number[]]
): Promise<Bounds> => {
  const query = (timestamp: number) => ({
    topic: metadata.topic,
    partitions: partitions.map((partition) => ({ partition, timestamp }))
  })
  return cluster.onNode({ metadata, node }, async (connection) => ({
    starts: await connection.listOffsets(query(EARLIEST), COMMITTED),
    written: await connection.listOffsets(query(LATEST), UNCOMMITTED),
    ends: await connection.listOffsets(query(LATEST), COMMITTED)
  }))
}

/**
 * The state of every partition of a topic, from brokers that are asked now.
 * @throws Failure E_LOG_UNAVAILABLE
 */
export const fetchStates = async (cluster: Cluster, topic: string): Promise<PartitionState[]> => {
  const metadata = await cluster.refresh(topic)
  try {
    const byNode = [...partitionsByNode(metadata)]
    const answers = await Promise.all(byNode.map((one) => listOffsets(cluster, metadata, one)))
    const starts = new Map(answers.flatMap((answer) => [...answer.starts]))
    const written = new Map(answers.flatMap((answer) => [...answer.written]))
    const ends = new Map(answers.flatMap((answer) => [...answer.ends]))
    return metadata.leaders.map((_, partition) => {
      const [start, end] = [starts.get(partition), ends.get(partition)]
      if (start === undefined || end === undefined) throw silent(topic, partition)
      const heldBack = (written.get(partition) ?? end) - end
      const state = { partition, incarnation: metadata.incarnation, start, end }
      return heldBack > 0 ? { ...state, heldBack } : state
    })
  } catch (error) {
    throw toFailure(error, `offsets of ${topic}`)
  }
}

const silent = (topic: string, partition: number): Failure =>
  new Failure('E_LOG_UNAVAILABLE', `no offsets for ${topic} partition ${partition}`, {
    retriable: true
  })
