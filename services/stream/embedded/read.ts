import { Failure } from '../../../schemas/failure.ts'
import type { ReadLimits, RecordRun } from '../log.ts'
import { readRun } from '../records/record-columns.ts'
import type { SpareMemory } from '../records/spare-memory.ts'
import { batchKey, readPartition, type Store, type TopicRow } from './store.ts'
import { findPartition } from './topics.ts'

export type ReadPosition = { topic: string; partition: number; offset: number }

/** @throws Failure E_LOG_RECREATED, E_LOG_GAP, E_LOG_TRUNCATED when the offset is not there. */
const checkPosition = (
  store: Store,
  { topic, partition, offset }: ReadPosition,
  limits: ReadLimits
): TopicRow => {
  const row = findPartition(store, topic, partition)
  const { incarnation } = limits
  if (incarnation !== undefined && incarnation !== row.incarnation) {
    throw new Failure('E_LOG_RECREATED', `topic ${topic} is ${row.incarnation}, not ${incarnation}`)
  }
  const { start, end } = readPartition(store, row, partition)
  const where = `${topic} partition ${partition} holds offsets ${start} to ${end - 1}, not ${offset}`
  if (offset < start) throw new Failure('E_LOG_GAP', where)
  if (offset > end) throw new Failure('E_LOG_TRUNCATED', where)
  return row
}

/**
 * Records from an offset on as far as they are there now, whole batches up to about
 * `limits.bytesMax`.
 * @param memory where the run's own memory comes from.
 */
export const readNow = (
  store: Store,
  position: ReadPosition,
  limits: ReadLimits,
  memory: SpareMemory
): RecordRun => {
  store.refresh()
  const topic = checkPosition(store, position, limits)
  const { partition, offset } = position
  const range = {
    start: batchKey(topic.number, partition, offset),
    end: batchKey(topic.number, partition, Number.MAX_SAFE_INTEGER)
  }
  const batches: Buffer[] = []
  let bytes = 0
  try {
    for (const key of store.batches.getKeys(range)) {
      const batch = copyOfBatch(store, key, memory)
      if (batch === null) break
      batches.push(batch)
      bytes += batch.length
      if (bytes >= limits.bytesMax) break
    }
    return readRun(batches, { partition, offset, isDense: true }, memory)
  } finally {
    for (const batch of batches) memory.give(batch)
  }
}

/**
 * LMDB lends its own buffer until the next look, longer than its `length` says; what it copies by
 * itself V8 has to collect.
 */
const copyOfBatch = (store: Store, key: Buffer, memory: SpareMemory): Buffer | null => {
  const lent = store.batches.getBinaryFast(key)
  if (lent === undefined) return null
  const copy = memory.take(lent.length)
  copy.set(new Uint8Array(lent.buffer, lent.byteOffset, lent.length))
  return copy
}
