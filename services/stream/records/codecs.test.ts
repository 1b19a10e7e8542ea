import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import zlib from 'node:zlib'
import { compress as compressSnappy } from 'snappyjs'
import { BatchWriter } from './batch-writer.ts'
import { crc32c } from './crc32c.ts'
import { PLAIN_BYTES_MAX } from './decompress.ts'
import { decompressLz4 } from './lz4.ts'
import { BATCH, LENGTH_PREFIX_BYTES } from './record-batch.ts'
import { readRun } from './record-columns.ts'
import { decompressSnappy } from './snappy.ts'
import { decompressZstd } from './zstd.ts'

const batchOf = (value: string, baseOffset: number): Buffer => {
  const writer = new BatchWriter()
  writer.add({ key: 'key', value: Buffer.from(value) }, Buffer.from('key'))
  return Buffer.from(writer.seal({ baseOffset, timeMs: 0 }))
}

/** A batch at offset 0 that says how many records its compressed content holds. */
const compressedBatch = (codec: number, content: Buffer, records: number): Buffer => {
  const batch = Buffer.concat([batchOf('', 0).subarray(0, BATCH.records), content])
  batch.writeInt32BE(batch.length - LENGTH_PREFIX_BYTES, BATCH.length)
  batch.writeInt16BE(codec, BATCH.attributes)
  batch.writeInt32BE(records, BATCH.recordCount)
  batch.writeUInt32BE(crc32c(batch, BATCH.attributes), BATCH.crc)
  return batch
}

/** Bytes that a decoder gives; null when it refuses, which has to be an orderly error. */
const sizeOf = (decode: () => Buffer): number | null => {
  try {
    return decode().length
  } catch (error) {
    assert.ok(error instanceof Error)
    return null
  }
}

describe('codecs', () => {
  const plain = Buffer.from('tokens in, tokens out; '.repeat(5000))
  const bytesMax = plain.length

  /** One block of literals, then a match that repeats them: the least LZ4 frame that compresses. */
  const lz4Frame = (literal: Buffer, repeated: number): Buffer => {
    const extra: number[] = []
    let left = repeated - 4 - 15
    for (; left >= 255; left -= 255) extra.push(255)
    const block = Buffer.concat([
      Buffer.from([(literal.length << 4) | 15]),
      literal,
      Buffer.from([literal.length, 0, ...extra, left])
    ])
    const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0])
    const size = Buffer.alloc(4)
    size.writeUInt32LE(block.length)
    return Buffer.concat([head, size, block, Buffer.alloc(4)])
  }

  /** A frame of one block that says: this byte, so many times. */
  const zstdFrame = (byte: number, count: number): Buffer => {
    const blockMax = 128 * 1024
    const blocks: Buffer[] = []
    for (let left = count; left > 0; left -= blockMax) {
      const size = Math.min(left, blockMax)
      const header = Buffer.alloc(4, byte)
      header.writeUIntLE((size << 3) | 2 | (left <= blockMax ? 1 : 0), 0, 3)
      blocks.push(header)
    }
    return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38]), ...blocks])
  }

  test('are undone, up to the bound and no further', () => {
    const snappy = Buffer.from(compressSnappy(plain))
    assert.deepEqual(decompressSnappy(snappy, bytesMax), plain)
    assert.throws(() => decompressSnappy(snappy, bytesMax - 1), /too big/)
    const lz4 = lz4Frame(Buffer.from('abc'), 3000)
    assert.equal(decompressLz4(lz4, 3003).toString(), 'abc'.repeat(1001))
    assert.throws(() => decompressLz4(lz4, 3002), /exceeds/)
    const zstd = zstdFrame(65, 300_000)
    assert.deepEqual(decompressZstd(zstd, 300_000), Buffer.alloc(300_000, 65))
    assert.throws(() => decompressZstd(zstd, 299_999))
  })

  test('refuse bombs in a batch within little time and memory, and go on behind them', () => {
    const bombs: [number, Buffer][] = [
      [1, zlib.gzipSync(Buffer.alloc(PLAIN_BYTES_MAX + 1), { level: 1 })],
      [3, lz4Frame(Buffer.from('abc'), 256 * 1024 * 1024)],
      [4, zstdFrame(0, 1024 * 1024 * 1024)]
    ]
    for (const [codec, content] of bombs) {
      const bytes = Buffer.concat([compressedBatch(codec, content, 1), batchOf('neighbour', 1)])
      const run = readRun([bytes], { partition: 0, offset: 0 })
      assert.equal(run.count, 1, `codec ${codec}`)
      assert.equal(run.offsets[0], 1)
      assert.deepEqual(
        run.faults.map(({ first, next, code }) => [first, next, code]),
        [[0, 1, 'E_LOG_CORRUPT']]
      )
    }
  })

  test('are not asked where a batch holds no record', () => {
    const nothing: [number, Buffer][] = [
      [1, zlib.gzipSync(Buffer.alloc(0))],
      [4, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0])],
      [4, Buffer.alloc(0)]
    ]
    for (const [codec, content] of nothing) {
      const empty = compressedBatch(codec, content, 0)
      const run = readRun([empty, batchOf('neighbour', 1)], { partition: 0, offset: 0 })
      assert.deepEqual([run.count, run.offsets[0], run.faults], [1, 1, []], `codec ${codec}`)
    }
  })

  test('refuse junk and cut input without end or crash', () => {
    const seeds = [lz4Frame(Buffer.from('abc'), 3000), zstdFrame(65, 9000), compressSnappy(plain)]
    const decoders = [decompressLz4, decompressZstd, decompressSnappy]
    for (const [index, decode] of decoders.entries()) {
      const good = Buffer.from(seeds[index]!)
      for (let cut = 0; cut < Math.min(good.length, 60); cut++) {
        assert.ok(
          (sizeOf(() => decode(good.subarray(0, cut), PLAIN_BYTES_MAX)) ?? 0) <= PLAIN_BYTES_MAX
        )
      }
      for (let byte = 0; byte < Math.min(good.length, 200); byte++) {
        const flipped = Buffer.from(good)
        flipped[byte]! ^= 0x55
        assert.ok((sizeOf(() => decode(flipped, PLAIN_BYTES_MAX)) ?? 0) <= PLAIN_BYTES_MAX)
      }
    }
  })
})
