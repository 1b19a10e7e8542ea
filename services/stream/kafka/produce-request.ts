import { API } from './api.ts'
import type { Connection } from './internals.ts'
import { WireReader, WireWriter } from './wire.ts'

/** A sealed batch for one partition; a request carries one for each. */
export type ProduceBatch = { topic: string; partition: number; batch: Buffer }

export type ProduceAnswer = { topic: string; partition: number; error: number }

/** All replicas in sync have the batch before the leader answers. */
const ACKS_ALL = -1
/** What an answer may take beyond the time that the leader waits for its replicas. */
const ANSWER_MS_MAX = 2000

const encodeRequest = (batches: readonly ProduceBatch[], timeoutMs: number): Buffer => {
  const noTransaction = null
  const writer = new WireWriter().text(noTransaction).int16(ACKS_ALL).int32(timeoutMs)
  writer.array(batches, ({ topic, partition, batch }) =>
    writer
      .text(topic)
      .array([batch], (bytes) => writer.int32(partition).bytes(bytes).end())
      .end()
  )
  return writer.end().toBuffer()
}

const readPartition = (reader: WireReader): { partition: number; error: number } => {
  const partition = reader.int32()
  const error = reader.int16()
  // Base offset, append time and start of the log.
  for (let one = 0; one < 3; one++) reader.int64()
  reader.array(() => {
    reader.int32()
    reader.text()
    reader.end()
  })
  reader.text()
  reader.end()
  return { partition, error }
}

const decodeAnswer = (bytes: Buffer): ProduceAnswer[] => {
  const reader = new WireReader(bytes)
  reader.end()
  const topics = reader.array(() => {
    const topic = reader.text() ?? ''
    const partitions = reader.array(() => readPartition(reader))
    reader.end()
    return partitions.map((partition) => ({ topic, ...partition }))
  })
  return topics.flat()
}

/** Sends batches to the node that leads their partitions; resolves once all replicas have them. */
export const produceBatches = async (
  connection: Connection,
  batches: readonly ProduceBatch[],
  timeoutMs: number
): Promise<ProduceAnswer[]> => {
  const body = encodeRequest(batches, timeoutMs)
  const call = { ...API.produce, body, timeoutMs: timeoutMs + ANSWER_MS_MAX }
  return decodeAnswer(await connection.call(call))
}
