import { foreignFormat } from '../../services/consume/decode/messages.ts'
import { Pending } from '../../services/consume/pending.ts'
import { cutRun } from '../../services/consume/run.ts'
import { KafkaLog } from '../../services/stream/kafka/log.ts'
import { figures } from './figures.ts'
import { PREFIX_BYTES, RACE_COLUMNS, RACE_FIXED } from './race-mapping.ts'

/** Bytes of one read, as the product's readers ask for. */
const READ_BYTES_MAX = 4 << 20
const READ_WAIT_MS = 250
/** Rows after which columns are dropped, as a flush would. */
const ROWS_MAX = 131_072

export type StageOptions = { brokers: string; topic: string; schema: unknown; stage: string }

/**
 * The first stages alone, on one thread: `fetch` reads the topic and checks its checksums, `decode`
 * turns it into columns as well. What they cost is part of what the whole path costs.
 */
export const runStage = async ({
  brokers,
  topic,
  schema,
  stage
}: StageOptions): Promise<string> => {
  const log = new KafkaLog({ brokers: brokers.split(',') })
  const format = { schema, prefixBytes: PREFIX_BYTES, columns: RACE_COLUMNS, fixed: RACE_FIXED }
  const pending = stage === 'decode' ? new Pending(foreignFormat(format)) : null
  const states = await log.partitions(topic)
  let events = 0
  await Promise.all(
    states.map(async ({ partition, start, end, incarnation }) => {
      let offset = start
      while (offset < end) {
        const limits = { bytesMax: READ_BYTES_MAX, waitMsMax: READ_WAIT_MS }
        const run = await log.read(topic, partition, offset, limits)
        events += run.count
        pending?.add(cutRun(run, offset, run.next), { topic, incarnation })
        if ((pending?.rows ?? 0) >= ROWS_MAX) pending?.clear()
        offset = run.next
        log.reuse(run)
      }
    })
  )
  await log.close()
  return figures({ peer: `product-${stage}`, events, windows: 0, checksum: BigInt(events) })
}
