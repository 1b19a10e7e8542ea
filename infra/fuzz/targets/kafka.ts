import { fetchBatches } from '../../../services/stream/kafka/fetch-request.ts'
import type { Connection } from '../../../services/stream/kafka/internals.ts'
import { fetchMetadata } from '../../../services/stream/kafka/metadata.ts'
import { WireWriter } from '../../../services/stream/kafka/wire.ts'
import type { Target, Targets } from '../target.ts'

/** Answers of a broker that is broken, or none: read within bounds, or refused. */

const UUID = '0f0e0d0c-0b0a-0908-0706-050403020100'

const brokerThatSays = (answer: Buffer): Connection =>
  ({ call: async () => answer, release: () => {}, versionMax: () => 99 }) as unknown as Connection

/** An answer that ends too early is an error of range, and the connection is made anew. */
const orRange = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof RangeError) || /array length|call stack/i.test(error.message))
      throw error
  }
}

const fetchAnswer = (): Buffer => {
  const writer = new WireWriter()
  writer.end().int32(0).int16(0).int32(0)
  writer.array([0], () => {
    writer.uuid(UUID)
    writer
      .array([0, 1], (partition) => {
        writer.int32(partition).int16(0).int64(9).int64(9).int64(0)
        writer.array([7], (id) => writer.int64(id).int64(3).end())
        writer.int32(-1).bytes(Buffer.from('records')).end()
      })
      .end()
  })
  return writer.end().toBuffer()
}

const metadataAnswer = (): Buffer => {
  const writer = new WireWriter()
  writer.end().int32(0)
  writer.array([1], (id) => writer.int32(id).text('127.0.0.1').int32(9092).text(null).end())
  writer.text('cluster').int32(1)
  writer.array(['usage'], (name) => {
    writer.int16(0).text(name).uuid(UUID).bool(false)
    writer.array([0, 1], (partition) => {
      writer.int16(0).int32(partition).int32(1).int32(0)
      for (let list = 0; list < 3; list++) writer.array([1], (node) => writer.int32(node))
      writer.end()
    })
    writer.int32(0).end()
  })
  return writer.end().toBuffer()
}

const fetched: Target = {
  name: 'fetch',
  seeds: () => [fetchAnswer()],
  refuses: [],
  run: (bytes) => {
    const leaders = { leaders: [1], leaderEpochs: [0] }
    const metadata = { topic: 'usage', incarnation: UUID, ...leaders, nodes: new Map() }
    const queries = [{ partition: 0, offset: 0, bytesMax: 1, leader: 0 }]
    const plan = { metadata, queries, waitMs: 0 }
    return orRange(() => fetchBatches(brokerThatSays(bytes), plan, 1, () => {}))
  }
}

const metadata: Target = {
  name: 'metadata',
  seeds: () => [metadataAnswer()],
  refuses: ['E_LOG_UNAVAILABLE'],
  run: (bytes) => orRange(() => fetchMetadata(brokerThatSays(bytes), 'usage', 1))
}

const kafka: Targets = () => [fetched, metadata]
export default kafka
