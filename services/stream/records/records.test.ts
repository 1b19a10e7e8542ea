import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32c as nativeCrc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { Failure } from '../../../schemas/failure.ts'
import { NULL_VALUE, type OutRecord, type RecordRun } from '../log.ts'
import { BatchWriter, checkRecordSize, type Seal } from './batch-writer.ts'
import { crc32c } from './crc32c.ts'
import { murmur2, partitionOf } from './partitioner.ts'
import { ATTRIBUTE, BATCH, CHECKSUM_HEADER, RECORD_BYTES_MAX, writeInt64 } from './record-batch.ts'
import { readRun } from './record-columns.ts'

const SEAL: Seal = { baseOffset: 0, timeMs: 1_770_000_000_000, appendedHere: true }

const batchOf = (records: readonly OutRecord[], seal: Partial<Seal> = {}): Buffer => {
  const writer = new BatchWriter()
  for (const record of records) writer.add(record, Buffer.from(record.key))
  return Buffer.from(writer.seal({ ...SEAL, ...seal }))
}

const sample = (count: number, from = 0): OutRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    key: `key-${from + index}`,
    value: Buffer.from(`value-${from + index}`)
  }))

const values = (run: RecordRun): (string | null)[] =>
  Array.from({ length: run.count }, (_, index) =>
    run.valueEnd[index] === NULL_VALUE
      ? null
      : Buffer.from(run.bytes.subarray(run.valueStart[index], run.valueEnd[index])).toString()
  )

const at = { partition: 3, offset: 0 }

/** Sets the checksum right after a batch was changed by hand. */
const reseal = (batch: Buffer): Buffer => {
  batch.writeUInt32BE(nativeCrc32c(batch.subarray(BATCH.attributes)), BATCH.crc)
  return batch
}

describe('the checksum', () => {
  test('agrees with the published value and with the native one at every length', () => {
    // RFC 3720, B.4: 32 bytes of zeros.
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a91_36aa)
    const bytes = Buffer.from(Array.from({ length: 1200 }, (_, index) => (index * 167) % 256))
    for (let length = 0; length < bytes.length; length++) {
      const part = bytes.subarray(7, 7 + length)
      assert.equal(crc32c(bytes, 7, 7 + part.length), nativeCrc32c(part))
    }
    assert.equal(
      crc32c(bytes, 100, 900, crc32c(bytes, 0, 100)),
      nativeCrc32c(bytes.subarray(0, 900))
    )
  })
})

describe('the partitioner', () => {
  test("gives the hashes of Kafka's own tests", () => {
    // Apache Kafka, UtilsTest#testMurmur2.
    const cases: Record<string, number> = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107
    }
    for (const [key, hash] of Object.entries(cases)) assert.equal(murmur2(Buffer.from(key)), hash)
  })

  test('spreads keys evenly and keeps each where it is', () => {
    const counts = [0, 0, 0, 0]
    for (let key = 0; key < 4000; key++) counts[partitionOf(`trace-${key}`, 4)]!++
    for (const count of counts) assert.ok(count > 900 && count < 1100, counts.join())
    assert.equal(partitionOf('x', 12), partitionOf('x', 12))
  })
})

describe('a record batch', () => {
  test('is read back record by record, whatever keys, values and headers it has', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    const record = fc.record({
      key: text,
      value: fc.option(fc.uint8Array({ maxLength: 600 })),
      headers: fc.dictionary(text, text, { maxKeys: 3 })
    })
    const check = (records: OutRecord[], baseOffset: number, codec: 'none' | 'gzip'): void => {
      const run = readRun([batchOf(records, { baseOffset, codec })], {
        partition: 0,
        offset: baseOffset
      })
      assert.deepEqual(run.faults, [])
      assert.equal(run.count, records.length)
      assert.equal(run.next, baseOffset + records.length)
      for (const [index, { key, value, headers = {} }] of records.entries()) {
        const end = run.valueEnd[index]!
        const read =
          end === NULL_VALUE ? null : new Uint8Array(run.bytes.subarray(run.valueStart[index], end))
        assert.deepEqual(read, value === null ? null : new Uint8Array(value))
        assert.equal(run.offsets[index], baseOffset + index)
        assert.equal(run.timesMs[index], SEAL.timeMs)
        const whole = Buffer.concat([Buffer.from(key), value ?? Buffer.alloc(0)])
        assert.equal(run.checksum(index), nativeCrc32c(whole))
        for (const [name, given] of Object.entries(headers)) {
          assert.equal(run.header(index, name), given)
        }
        assert.equal(run.header(index, 'not there'), null)
      }
    }
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 2 ** 45 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        check
      ),
      { numRuns: 60, seed: 7 }
    )
  })

  test('drops records in front of the offset that was asked for', () => {
    const run = readRun([batchOf(sample(5), { baseOffset: 10 })], { partition: 0, offset: 13 })
    assert.deepEqual([...run.offsets], [13, 14])
    assert.deepEqual(values(run), ['value-3', 'value-4'])
    assert.equal(run.next, 15)
  })

  test('joins plain and compressed batches into one run', () => {
    const bytes = Buffer.concat([
      batchOf(sample(2)),
      batchOf(sample(2, 2), { baseOffset: 2, codec: 'gzip' }),
      batchOf(sample(1, 4), { baseOffset: 4 })
    ])
    const run = readRun([bytes], at)
    assert.deepEqual(values(run), ['value-0', 'value-1', 'value-2', 'value-3', 'value-4'])
    assert.equal(run.header(3, CHECKSUM_HEADER)?.length, 8)
  })

  test('is left for the next read when it is cut off behind a whole one', () => {
    const bytes = Buffer.concat([batchOf(sample(2)), batchOf(sample(9, 2), { baseOffset: 2 })])
    for (const cut of [1, 40, 100]) {
      const run = readRun([bytes.subarray(0, bytes.length - cut)], at)
      assert.equal(run.next, 2)
      assert.deepEqual(run.faults, [])
    }
  })

  test("keeps a producer's own times when the log did not stamp them", () => {
    const batch = batchOf(sample(2), { appendedHere: false })
    writeInt64(batch, SEAL.timeMs + 5000, BATCH.maxTimestamp)
    assert.deepEqual([...readRun([reseal(batch)], at).timesMs], [SEAL.timeMs, SEAL.timeMs])
  })

  test('may not hold a record beyond the bound', () => {
    const value = Buffer.alloc(RECORD_BYTES_MAX - 3)
    checkRecordSize({ key: 'key', value })
    assert.throws(
      () => checkRecordSize({ key: 'key+', value }),
      (error: unknown) => error instanceof Failure && error.code === 'E_BODY_TOO_LARGE'
    )
  })
})

describe('damage', () => {
  test('of any single bit under the checksum is found, and neighbours stay intact', () => {
    const good = [batchOf(sample(3)), batchOf(sample(2, 6), { baseOffset: 6 })] as const
    const middle = batchOf(sample(3, 3), { baseOffset: 3 })
    for (let bit = BATCH.crc * 8; bit < middle.length * 8; bit++) {
      const flipped = Buffer.from(middle)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const run = readRun([Buffer.concat([good[0], flipped, good[1]])], at)
      const [fault, ...others] = run.faults
      assert.equal(others.length, 0)
      assert.equal(fault?.code, 'E_LOG_CORRUPT')
      assert.equal(fault?.first, 3)
      assert.equal(fault.byteLength, middle.length)
      assert.deepEqual(values(run), ['value-0', 'value-1', 'value-2', 'value-6', 'value-7'])
      assert.equal(run.next, 8)
    }
  })

  test('of the frame never passes in silence: the run ends early or names a fault', () => {
    const bytes = Buffer.concat([batchOf(sample(3)), batchOf(sample(3, 3), { baseOffset: 3 })])
    const frame = [...Array(BATCH.leaderEpoch).keys()].concat(BATCH.magic)
    for (const position of frame) {
      const flipped = Buffer.from(bytes)
      flipped[position]! ^= 0x40
      const run = readRun([flipped], { ...at, isDense: true })
      assert.ok(run.faults.length > 0, `byte ${position}`)
      assert.ok(run.faults.every(({ first, next }) => next > first))
      assert.ok(values(run).every((value) => /^value-[0-5]$/.test(value ?? '')))
    }
  })

  test('between producer and log shows in the header of the record, and only that one is out', () => {
    const records = sample(3)
    records[1] = { ...records[1]!, headers: { [CHECKSUM_HEADER]: '00000000' } }
    const run = readRun([batchOf(records)], at)
    assert.deepEqual(values(run), ['value-0', 'value-2'])
    assert.deepEqual([...run.offsets], [0, 2])
    assert.deepEqual(
      run.faults.map(({ first, next, bytes }) => [first, next, Buffer.from(bytes).toString()]),
      [[1, 2, 'value-1']]
    )
  })

  test('of the records inside a batch with a right checksum takes the whole batch out', () => {
    const batch = batchOf(sample(3))
    batch[BATCH.records] = 0x7e
    const run = readRun(
      [Buffer.concat([reseal(batch), batchOf(sample(1, 3), { baseOffset: 3 })])],
      at
    )
    assert.deepEqual(values(run), ['value-3'])
    assert.deepEqual(
      run.faults.map(({ first, next }) => [first, next]),
      [[0, 3]]
    )
  })

  test('keeps at most 64 KiB of the bytes', () => {
    const batch = batchOf([{ key: 'k', value: Buffer.alloc(200_000) }])
    batch[150_000]! ^= 1
    const [fault] = readRun([batch], at).faults
    assert.equal(fault?.bytes.length, 64 * 1024)
    assert.equal(fault?.byteLength, batch.length)
  })
})

describe('transactions', () => {
  const transactional = (batch: Buffer, producerId: number): Buffer => {
    batch.writeInt16BE(ATTRIBUTE.transactional, BATCH.attributes)
    writeInt64(batch, producerId, BATCH.producerId)
    return reseal(batch)
  }
  const marker = (baseOffset: number, producerId: number, type: 0 | 1): Buffer => {
    const batch = transactional(batchOf(sample(1), { baseOffset }), producerId)
    batch.writeInt16BE(ATTRIBUTE.transactional | ATTRIBUTE.control, BATCH.attributes)
    const key = Buffer.from([0, 0, 0, type])
    // Length, attributes, time, offset, length of the key, key, null value, no headers.
    const record = Buffer.from([20, 0, 0, 0, 8, ...key, 1, 0])
    const whole = Buffer.concat([batch.subarray(0, BATCH.records), record])
    whole.writeInt32BE(whole.length - 12, BATCH.length)
    return reseal(whole)
  }

  test('that were aborted are left out, those of others and later ones are not', () => {
    const bytes = Buffer.concat([
      transactional(batchOf(sample(1)), 7),
      transactional(batchOf(sample(1, 1), { baseOffset: 1 }), 8),
      marker(2, 7, 0),
      marker(3, 8, 1),
      transactional(batchOf(sample(1, 4), { baseOffset: 4 }), 7),
      marker(5, 7, 1)
    ])
    const run = readRun([bytes], { ...at, aborted: [{ producerId: 7, firstOffset: 0 }] })
    assert.deepEqual(values(run), ['value-1', 'value-4'])
    assert.deepEqual([...run.offsets], [1, 4])
    assert.equal(run.next, 6)
  })
})
