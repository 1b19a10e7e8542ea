import type { PendingAppend } from '../append-queue.ts'
import { BatchWriter, recordBytes } from './batch-writer.ts'
import { partitionOf } from './partitioner.ts'

/** Batches of one topic and partition, in order. */
export type Lane = { topic: string; partition: number; batches: BatchWriter[] }

/**
 * Plain bytes of one batch, unless a single record is larger. Brokers refuse batches over 1 MiB
 * by default; readers take whole batches, so this also bounds how far a read overshoots the bytes
 * that it asked for, and what one damaged batch takes away.
 */
const BATCH_BYTES_MAX = 512 * 1024

const batchFor = (lane: Lane, bytes: number): BatchWriter => {
  const last = lane.batches.at(-1)
  if (last !== undefined && last.length + bytes <= BATCH_BYTES_MAX) return last
  const batch = new BatchWriter()
  lane.batches.push(batch)
  return batch
}

/** Sorts the records of appends into batches by partition; each key keeps its order. */
export const toLanes = (
  appends: readonly PendingAppend[],
  partitionsOf: (topic: string) => number
): Lane[] => {
  const topics = new Map<string, Map<number, Lane>>()
  for (const { topic, records } of appends) {
    const lanes = topics.get(topic) ?? new Map<number, Lane>()
    topics.set(topic, lanes)
    const partitions = partitionsOf(topic)
    for (const record of records) {
      const key = Buffer.from(record.key)
      const partition = partitionOf(key, partitions)
      const lane = lanes.get(partition) ?? { topic, partition, batches: [] }
      lanes.set(partition, lane)
      batchFor(lane, recordBytes(key, record)).add(record, key)
    }
  }
  return [...topics.values()].flatMap((lanes) => [...lanes.values()])
}
