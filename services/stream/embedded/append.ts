import { Failure } from '../../../schemas/failure.ts'
import { BatchWriter } from '../records/batch-writer.ts'
import { partitionOf } from '../records/partitioner.ts'
import type { PendingAppend } from './append-queue.ts'
import { batchKey, partitionKey, readPartition, type Store, type TopicRow } from './store.ts'
import { findTopic } from './topics.ts'

/**
 * Plain bytes of one batch. Readers take whole batches, so this bounds how far a read overshoots
 * the bytes that it asked for, and what one damaged batch takes away.
 */
const BATCH_BYTES_MAX = 512 * 1024

export type AppendContext = {
  store: Store
  now: () => Date
  /** Bytes of record batches that the log may hold. */
  bytesMax: number
}

/** Batches of one topic and partition in the making. */
type Lane = { topic: string; partition: number; batches: BatchWriter[] }

const laneBatch = (lane: Lane): BatchWriter => {
  const last = lane.batches.at(-1)
  if (last !== undefined && last.length < BATCH_BYTES_MAX) return last
  const batch = new BatchWriter()
  lane.batches.push(batch)
  return batch
}

const toLanes = (store: Store, appends: readonly PendingAppend[]): Lane[] => {
  const lanes = new Map<string, Lane>()
  for (const { topic, records } of appends) {
    const { partitions } = findTopic(store, topic)
    for (const record of records) {
      const partition = partitionOf(record.key, partitions)
      const name = `${partition} ${topic}`
      const lane = lanes.get(name) ?? { topic, partition, batches: [] }
      lanes.set(name, lane)
      laneBatch(lane).add(record)
    }
  }
  return [...lanes.values()]
}

const checkSpace = ({ store, bytesMax }: AppendContext, lanes: readonly Lane[]): void => {
  const added = lanes.flatMap(({ batches }) => batches).reduce((sum, one) => sum + one.length, 0)
  const held = [...store.partitions.getRange()].reduce((sum, { value }) => sum + value.bytes, 0)
  if (held + added <= bytesMax) return
  throw new Failure('E_DISK_FULL', `the log holds ${held} of ${bytesMax} bytes`, {
    retriable: true,
    hint: 'Let consumers catch up and retention remove what they have read, or raise the bound.'
  })
}

const writeLane = ({ store, now }: AppendContext, topic: TopicRow, lane: Lane): void => {
  const row = readPartition(store, topic, lane.partition)
  const timeMs = Math.max(row.timeMs, now().getTime())
  let { end, bytes } = row
  for (const batch of lane.batches) {
    const sealed = batch.seal(end, timeMs)
    end += batch.count
    bytes += sealed.length
    void store.batches.put(batchKey(topic.number, lane.partition, end - 1), sealed)
  }
  const key = partitionKey(topic.number, lane.partition)
  void store.partitions.put(key, { ...row, end, bytes, timeMs })
}

/** Commits appends together: all of them are on disk, or none. */
export const commitAppends = async (
  context: AppendContext,
  appends: readonly PendingAppend[]
): Promise<void> => {
  const { store } = context
  store.refresh()
  const lanes = toLanes(store, appends)
  await store.commit(() => {
    checkSpace(context, lanes)
    const topics = lanes.map(({ topic }) => findTopic(store, topic))
    for (const [index, lane] of lanes.entries()) writeLane(context, topics[index]!, lane)
  })
}
