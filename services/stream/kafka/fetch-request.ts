import type { AbortedTransaction } from '../records/batch-reader.ts'
import { API } from './api.ts'
import type { Call, Connection } from './internals.ts'
import type { TopicMetadata } from './metadata.ts'
import { WireReader, WireWriter } from './wire.ts'

/** One partition of a fetch. A broker that knows of another leader than `leader` refuses it. */
export type FetchQuery = { partition: number; offset: number; bytesMax: number; leader: number }

/** What a broker says of one partition. */
export type FetchAnswer = {
  partition: number
  error: number
  /** Raw record batches; the last one may be cut off. Empty when there is nothing new. */
  batches: Buffer
  aborted: AbortedTransaction[]
}

export type FetchPlan = {
  metadata: TopicMetadata
  queries: readonly FetchQuery[]
  /** How long the broker may wait for a first record. */
  waitMs: number
}

const CONSUMER = -1
const READ_COMMITTED = 1
/** A whole fetch, not one of a session that remembers partitions. */
const NO_SESSION = 0
const SESSIONLESS_EPOCH = -1
/** Left out: under one leader, which the query names, nothing that was read is ever cut off. */
const NO_LAST_EPOCH = -1
const UNKNOWN_OFFSET = -1
/** One record is news enough. */
const BYTES_MIN = 1
/** Bytes of one answer: it is held in memory as a whole. Partitions behind it come next time. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

const writeQuery = (writer: WireWriter, query: FetchQuery): void => {
  const { partition, offset, bytesMax, leader } = query
  writer.int32(partition).int32(leader).int64(offset).int32(NO_LAST_EPOCH)
  writer.int64(UNKNOWN_OFFSET).int32(bytesMax).end()
}

const encodeRequest = ({ metadata, queries, waitMs }: FetchPlan, byName: boolean): Buffer => {
  const { topic, incarnation } = metadata
  const writer = new WireWriter()
  writer.int32(CONSUMER).int32(waitMs).int32(BYTES_MIN).int32(ANSWER_BYTES_MAX)
  writer.int8(READ_COMMITTED).int32(NO_SESSION).int32(SESSIONLESS_EPOCH)
  writer.array([topic], () => {
    if (byName) writer.text(topic)
    else writer.uuid(incarnation)
    writer.array(queries, (query) => writeQuery(writer, query)).end()
  })
  const forgotten: never[] = []
  const rack = ''
  return writer
    .array(forgotten, () => undefined)
    .text(rack)
    .end()
    .toBuffer()
}

const readAborted = (reader: WireReader): AbortedTransaction => {
  const aborted = { producerId: reader.int64(), firstOffset: reader.int64() }
  reader.end()
  return aborted
}

const readAnswer = (reader: WireReader): FetchAnswer => {
  const partition = reader.int32()
  const error = reader.int16()
  // High watermark, last stable offset and start of the log: asked for elsewhere.
  for (let one = 0; one < 3; one++) reader.int64()
  const aborted = reader.array(() => readAborted(reader))
  reader.int32()
  const batches = reader.bytes() ?? Buffer.alloc(0)
  reader.end()
  return { partition, error, batches, aborted }
}

export type Answers = { error: number; answers: FetchAnswer[] }

const decodeAnswer = (bytes: Buffer, byName: boolean): Answers => {
  const reader = new WireReader(bytes)
  reader.end()
  reader.int32()
  const error = reader.int16()
  reader.int32()
  const topics = reader.array(() => {
    if (byName) reader.text()
    else reader.uuid()
    const answers = reader.array(() => readAnswer(reader))
    reader.end()
    return answers
  })
  return { error, answers: topics.flat() }
}

/**
 * Fetches raw record batches of some partitions of a topic that one node leads.
 * @param answerMs what the answer may take beyond the time that the broker waits for records.
 * @param use takes the batches, whose memory is good for nothing once it returns.
 */
export const fetchBatches = async (
  connection: Connection,
  plan: FetchPlan,
  answerMs: number,
  use: (answers: Answers) => void
): Promise<void> => {
  const byName = connection.versionMax(API.fetch.apiKey) < API.fetch.apiVersion
  const api = byName ? API.fetchByName : API.fetch
  const timeoutMs = plan.waitMs + answerMs
  const call: Call = { ...api, body: encodeRequest(plan, byName), timeoutMs }
  const answer = await connection.call(call)
  use(decodeAnswer(answer, byName))
  connection.release(answer)
}
