import type { EventLog, OutRecord } from '../../../services/stream/log.ts'
import { partitionOf } from '../../../services/stream/records/partitioner.ts'
import { Cursor } from './cursor.ts'
import { giveToTenant } from './generated-event.ts'

/** Records of one append. */
const APPEND_MAX = 10_000

export type Copy = {
  from: string
  to: string
  tenants: number
  /** Whether partitions take events in turn, so that each holds as many as another. */
  isEven: boolean
}

/**
 * Copies a topic of the peers' generator and gives its events to another number of tenants. The
 * key is the tenant, as the generator has it, so that each group of windows keeps to a partition;
 * where partitions are to be even, a window is of several, and readers add it up. Events of several
 * partitions come into one in the order of their times: no racer is told that they are late.
 */
export const copyWithTenants = async (
  log: EventLog,
  { from, to, tenants, isEven }: Copy
): Promise<void> => {
  const states = await log.partitions(from)
  const keys = isEven ? keysOfPartitions(states.length) : null
  await log.ensureTopic(to, states.length)
  let cursors = states.map((state) => new Cursor(log, from, state))
  for (let copied = 0; ;) {
    cursors = await loaded(cursors)
    if (cursors.length === 0) return
    const values = earliest(cursors)
    const records = values.map((value, index): OutRecord => {
      const tenant = giveToTenant(value, tenants)
      return { key: keys === null ? tenant : keys[(copied + index) % keys.length]!, value }
    })
    await log.append(to, records)
    copied += records.length
  }
}

const loaded = async (cursors: readonly Cursor[]): Promise<Cursor[]> => {
  const isThere = await Promise.all(cursors.map((cursor) => cursor.load()))
  return cursors.filter((_, index) => isThere[index])
}

/** The next records by their time, for as long as all cursors have some in memory. */
const earliest = (cursors: readonly Cursor[]): Buffer[] => {
  const values: Buffer[] = []
  while (values.length < APPEND_MAX && cursors.every(({ isLoaded }) => isLoaded)) {
    values.push(cursors.reduce((a, b) => (b.time < a.time ? b : a)).take())
  }
  return values
}

/** A key of each partition, in their order. */
const keysOfPartitions = (partitions: number): string[] => {
  const keys = new Map<number, string>()
  for (let n = 0; keys.size < partitions; n++) keys.set(partitionOf(`${n}`, partitions), `${n}`)
  return Array.from({ length: partitions }, (_, partition) => keys.get(partition)!)
}
