import { Failure } from '../../../schemas/failure.ts'
import type { LogAdmin } from '../log-admin.ts'
import { BATCH, readInt64 } from '../records/record-batch.ts'
import { batchKey, partitionKey, readPartition, type Store, type TopicRow } from './store.ts'

/** Counts the topics that were ever created. */
const TOPIC_COUNTER = 'topics'

/** @throws Failure E_LOG_UNAVAILABLE when there is no such topic. */
export const findTopic = (store: Store, topic: string): TopicRow => {
  const row = store.topics.get(topic)
  if (row !== undefined) return row
  throw new Failure('E_LOG_UNAVAILABLE', `there is no topic ${topic}`, {
    hint: 'Create it first: ensureTopic.'
  })
}

/** @throws Failure E_LOG_UNAVAILABLE when the topic has no such partition. */
export const findPartition = (store: Store, topic: string, partition: number): TopicRow => {
  const row = findTopic(store, topic)
  if (partition >= 0 && partition < row.partitions) return row
  throw new Failure('E_LOG_UNAVAILABLE', `topic ${topic} has no partition ${partition}`)
}

/** @returns whether the topic was created. */
export const createTopic = (
  store: Store,
  topic: string,
  { partitions, incarnation }: Pick<TopicRow, 'partitions' | 'incarnation'>
): boolean =>
  store.commit(() => {
    if (store.topics.get(topic) !== undefined) return false
    const number = (store.counters.get(TOPIC_COUNTER) ?? 0) + 1
    store.counters.putSync(TOPIC_COUNTER, number)
    store.topics.putSync(topic, { incarnation, number, partitions })
    return true
  })

/** Last offset of the newest batch that ends below `offset`, and what all such batches hold. */
const removeBatches = (
  store: Store,
  topic: TopicRow,
  { partition, offset }: { partition: number; offset: number }
): number => {
  let bytes = 0
  const range = {
    start: batchKey(topic.number, partition, 0),
    end: batchKey(topic.number, partition, offset)
  }
  const batches = [...store.batches.getRange(range)]
  for (const { key, value } of batches) {
    bytes += value.length
    store.batches.removeSync(key)
  }
  return bytes
}

const removePartition = (store: Store, topic: TopicRow, partition: number): void => {
  removeBatches(store, topic, { partition, offset: Number.MAX_SAFE_INTEGER })
  store.partitions.removeSync(partitionKey(topic.number, partition))
}

/**
 * The offset below which every record was appended before `timeMs`: what retention by time may
 * remove. It never lies beyond the end.
 */
export const offsetBefore = (
  store: Store,
  topic: TopicRow,
  { partition, timeMs }: { partition: number; timeMs: number }
): number => {
  const { start, end } = readPartition(store, topic, partition)
  const range = {
    start: batchKey(topic.number, partition, start),
    end: batchKey(topic.number, partition, end)
  }
  for (const { value } of store.batches.getRange(range)) {
    const isKept = readInt64(value, BATCH.maxTimestamp) >= timeMs
    if (isKept) return Math.max(start, readInt64(value, BATCH.baseOffset))
  }
  return end
}

/** Administration of the embedded log. */
export const createAdmin = (store: Store): LogAdmin => ({
  deleteBefore: async (topic, partition, offset) =>
    store.commit(() => {
      const row = findPartition(store, topic, partition)
      const state = readPartition(store, row, partition)
      const start = Math.min(Math.max(state.start, offset), state.end)
      const removed = removeBatches(store, row, { partition, offset: start })
      const key = partitionKey(row.number, partition)
      store.partitions.putSync(key, { ...state, start, bytes: state.bytes - removed })
    }),
  addPartitions: async (topic, partitions) =>
    store.commit(() => {
      const row = findTopic(store, topic)
      store.topics.putSync(topic, { ...row, partitions: Math.max(row.partitions, partitions) })
    }),
  deleteTopic: async (topic) =>
    store.commit(() => {
      const row = store.topics.get(topic)
      if (row === undefined) return
      for (let one = 0; one < row.partitions; one++) removePartition(store, row, one)
      store.topics.removeSync(topic)
    })
})
