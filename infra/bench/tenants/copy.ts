import type { EventLog, OutRecord, RecordRun } from '../../../services/stream/log.ts'
import { partitionOf } from '../../../services/stream/records/partitioner.ts'
import { PREFIX_BYTES } from '../race-mapping.ts'

/** Several batches an answer, so that the copy is not bound by round trips; 4 MiB. */
const BYTES_MAX = 4 << 20
const WAIT_MS = 250
/** The peers' generator writes `tenant-0042`: four digits, so a number below 10,000 fits. */
const DIGITS = 4
const GENERATED = 2_000

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
 * where partitions are to be even, a window is of several, and readers add it up.
 */
export const copyWithTenants = async (
  log: EventLog,
  { from, to, tenants, isEven }: Copy
): Promise<void> => {
  const states = await log.partitions(from)
  const keys = keysOfPartitions(states.length)
  await log.ensureTopic(to, states.length)
  for (const { partition, start, end } of states) {
    for (let offset = start; offset < end;) {
      const limits = { bytesMax: BYTES_MAX, waitMsMax: WAIT_MS }
      const run = await log.read(from, partition, offset, limits)
      const records = recordsOf(run, tenants)
      const inTurn = ({ value }: OutRecord, index: number): OutRecord => ({
        key: keys[(offset + index) % keys.length]!,
        value
      })
      await log.append(to, isEven ? records.map(inTurn) : records)
      offset = run.next
    }
  }
}

/** A key of each partition, in their order. */
const keysOfPartitions = (partitions: number): string[] => {
  const keys = new Map<number, string>()
  for (let n = 0; keys.size < partitions; n++) keys.set(partitionOf(`${n}`, partitions), `${n}`)
  return Array.from({ length: partitions }, (_, partition) => keys.get(partition)!)
}

const recordsOf = (run: RecordRun, tenants: number): OutRecord[] =>
  Array.from({ length: run.count }, (_, index) => {
    const value = Buffer.from(run.bytes.subarray(run.valueStart[index], run.valueEnd[index]))
    const at = digitsAt(value)
    const known = Number(value.toString('latin1', at, at + DIGITS))
    // More tenants than were generated: each is split by what differs from event to event.
    const split = known + GENERATED * (value[PREFIX_BYTES + 1]! % Math.ceil(tenants / GENERATED))
    value.write(String(split % tenants).padStart(DIGITS, '0'), at, 'latin1')
    return { key: value.toString('latin1', at - 'tenant-'.length, at + DIGITS), value }
  })

/** Where the tenant's digits are: behind the event's id and its time, in Avro's order of fields. */
const digitsAt = (value: Buffer): number => {
  const idLength = value[PREFIX_BYTES]! >> 1
  let at = PREFIX_BYTES + 1 + idLength
  while (value[at++]! >= 0x80);
  return at + 1 + 'tenant-'.length
}
