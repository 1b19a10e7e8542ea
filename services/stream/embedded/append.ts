import { Failure } from '../../../schemas/failure.ts'
import type { PendingAppend } from '../append-queue.ts'
import { toLanes, type Lane } from '../records/lanes.ts'
import { checkDisk, type Disk } from './disk.ts'
import { batchKey, partitionKey, readPartition, type Store, type TopicRow } from './store.ts'
import { findTopic } from './topics.ts'

export type AppendContext = {
  store: Store
  now: () => Date
  /** Bytes of record batches that the log may hold. */
  bytesMax: number
  disk: Disk
}

/** @throws Failure E_DISK_FULL */
const checkSpace = ({ store, bytesMax, disk }: AppendContext, lanes: readonly Lane[]): void => {
  const added = lanes.flatMap(({ batches }) => batches).reduce((sum, one) => sum + one.length, 0)
  const held = [...store.partitions.getRange()].reduce((sum, { value }) => sum + value.bytes, 0)
  if (held + added > bytesMax) {
    throw new Failure('E_DISK_FULL', `the log holds ${held} of ${bytesMax} bytes`, {
      retriable: true,
      hint: 'Let consumers catch up and retention remove what they have read, or raise the bound.'
    })
  }
  checkDisk(disk, added, held)
}

const writeLane = ({ store, now }: AppendContext, topic: TopicRow, lane: Lane): void => {
  const row = readPartition(store, topic, lane.partition)
  const timeMs = Math.max(row.timeMs, now().getTime())
  let { end, bytes } = row
  for (const batch of lane.batches) {
    const sealed = batch.seal({ baseOffset: end, timeMs, appendedHere: true })
    end += batch.count
    bytes += sealed.length
    store.batches.putSync(batchKey(topic.number, lane.partition, end - 1), sealed)
  }
  const key = partitionKey(topic.number, lane.partition)
  store.partitions.putSync(key, { ...row, end, bytes, timeMs })
}

/** Commits appends together: all of them are on disk, or none. */
export const commitAppends = (context: AppendContext, appends: readonly PendingAppend[]): void => {
  const { store } = context
  store.refresh()
  const lanes = toLanes(appends, (topic) => findTopic(store, topic).partitions)
  store.commit(() => {
    checkSpace(context, lanes)
    const topics = lanes.map(({ topic }) => findTopic(store, topic))
    for (const [index, lane] of lanes.entries()) writeLane(context, topics[index]!, lane)
  })
}
