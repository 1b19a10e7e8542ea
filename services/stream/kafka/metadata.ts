import { Failure } from '../../../schemas/failure.ts'
import { API, ERROR } from './api.ts'
import type { Address, Connection } from './internals.ts'
import { WireReader, WireWriter } from './wire.ts'

/** Where a topic's partitions are led, and which topic it is. */
export type TopicMetadata = {
  topic: string
  /** Topic id: unique for ever, so a topic made anew has another. */
  incarnation: string
  /** Node that leads each partition, by partition; -1 when none does at the moment. */
  leaders: readonly number[]
  /** How often the leader of each partition changed, by partition: its leader epoch. */
  leaderEpochs: readonly number[]
  nodes: ReadonlyMap<number, Address>
}

const UUID_ZERO = '00000000-0000-0000-0000-000000000000'

const encodeRequest = (topic: string): Buffer => {
  const writer = new WireWriter()
  writer.array([topic], (name) => writer.uuid(UUID_ZERO).text(name).end())
  const mayCreate = false
  const withOperations = false
  return writer.bool(mayCreate).bool(withOperations).end().toBuffer()
}

type PartitionAnswer = { partition: number; leader: number; leaderEpoch: number }
type TopicAnswer = { error: number; incarnation: string; partitions: PartitionAnswer[] }

const readNode = (reader: WireReader): [number, Address] => {
  const id = reader.int32()
  const address = { host: reader.text() ?? '', port: reader.int32() }
  reader.text()
  reader.end()
  return [id, address]
}

/** Lists of nodes behind a partition's leader: replicas, those in sync, those offline. */
const NODE_LISTS = 3

const readPartition = (reader: WireReader): PartitionAnswer => {
  reader.int16()
  const partition = reader.int32()
  const leader = reader.int32()
  const leaderEpoch = reader.int32()
  for (let list = 0; list < NODE_LISTS; list++) reader.array(() => reader.int32())
  reader.end()
  return { partition, leader, leaderEpoch }
}

const readTopic = (reader: WireReader): TopicAnswer => {
  const error = reader.int16()
  reader.text()
  const incarnation = reader.uuid()
  reader.int8()
  const partitions = reader.array(() => readPartition(reader))
  reader.int32()
  reader.end()
  return { error, incarnation, partitions }
}

const unavailable = (topic: string, why: string): Failure =>
  new Failure('E_LOG_UNAVAILABLE', `topic ${topic}: ${why}`, {
    retriable: true,
    hint: 'Check the name of the topic and the state of the brokers.'
  })

/** @throws Failure E_LOG_UNAVAILABLE when the broker does not know the topic. */
const toMetadata = (topic: string, answer: Buffer): TopicMetadata => {
  const reader = new WireReader(answer)
  reader.end()
  reader.int32()
  const nodes = new Map(reader.array(() => readNode(reader)))
  reader.text()
  reader.int32()
  const [found] = reader.array(() => readTopic(reader))
  if (found === undefined || found.error === ERROR.unknownTopicOrPartition) {
    throw unavailable(topic, 'there is no such topic')
  }
  if (found.error !== ERROR.none) throw unavailable(topic, `the broker gives error ${found.error}`)
  const leaders: number[] = []
  const leaderEpochs: number[] = []
  for (const { partition, leader, leaderEpoch } of found.partitions) {
    leaders[partition] = leader
    leaderEpochs[partition] = leaderEpoch
  }
  return { topic, incarnation: found.incarnation, leaders, leaderEpochs, nodes }
}

/** Asks a broker about a topic, which it knows for the whole cluster. */
export const fetchMetadata = async (
  connection: Connection,
  topic: string,
  timeoutMs: number
): Promise<TopicMetadata> => {
  const versionMax = connection.versionMax(API.metadata.apiKey)
  if (versionMax < API.metadata.apiVersion) {
    throw unavailable(topic, `the broker serves Metadata up to ${versionMax}; Kafka 3.1 is needed`)
  }
  const answer = await connection.call({ ...API.metadata, body: encodeRequest(topic), timeoutMs })
  return toMetadata(topic, answer)
}
