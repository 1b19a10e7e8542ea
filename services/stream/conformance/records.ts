import assert from 'node:assert/strict'
import { crc32c } from '@node-rs/crc32'
import { partitionOf } from '../records/partitioner.ts'
import { CHECKSUM_HEADER, RECORD_BYTES_MAX } from '../records/record-batch.ts'
import {
  assertInOrder,
  failsWith,
  readAll,
  record,
  records,
  valuesOf,
  type ConformanceCase
} from './case.ts'

/** Records: what goes in comes out. */
export const RECORDS: readonly ConformanceCase[] = [
  {
    name: 'come back in the order of appending, from any offset',
    partitions: 1,
    run: async (log, topic) => {
      for (let part = 0; part < 3; part++) await log.append(topic, records(4, `key-${part}`))
      for (let from = 0; from <= 12; from++) {
        const runs = await readAll(log, { topic, partition: 0, from })
        const offsets = runs.flatMap((run) => [...run.offsets])
        assert.deepEqual(
          offsets,
          Array.from({ length: 12 - from }, (_, index) => from + index)
        )
        const values = runs.flatMap(valuesOf)
        assert.deepEqual(
          values,
          offsets.map((offset) => `value-${offset % 4}`)
        )
      }
    }
  },
  {
    name: 'of one key share a partition, the one that every client of Kafka would choose',
    partitions: 4,
    run: async (log, topic) => {
      const keys = Array.from({ length: 30 }, (_, index) => `trace-${index % 10}`)
      await log.append(
        topic,
        keys.map((key, index) => record(key, `${key} ${index}`))
      )
      for (let partition = 0; partition < 4; partition++) {
        const values = (await readAll(log, { topic, partition })).flatMap(valuesOf)
        const wanted = keys.flatMap((key, index) =>
          partitionOf(key, 4) === partition ? [`${key} ${index}`] : []
        )
        assert.deepEqual(values, wanted)
      }
    }
  },
  {
    name: 'may have null values, empty values, headers and any characters',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, [
        { key: 'null', value: null },
        { key: 'empty', value: Buffer.alloc(0) },
        { key: 'ключ 🔑', value: Buffer.from('значение'), headers: { source: 'café', empty: '' } }
      ])
      const [run] = await readAll(log, { topic, partition: 0 })
      assert.deepEqual(valuesOf(run!), [null, '', 'значение'])
      assert.equal(run?.header(2, 'source'), 'café')
      assert.equal(run?.header(2, 'empty'), '')
      assert.equal(run?.header(2, 'other'), null)
      assert.equal(run?.header(0, 'source'), null)
    }
  },
  {
    name: 'carry their checksum, which the reader compares',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, [
        record('key', 'first'),
        { ...record('key', 'damaged'), headers: { [CHECKSUM_HEADER]: 'deadbeef' } },
        record('key', 'last')
      ])
      const [run] = await readAll(log, { topic, partition: 0 })
      assert.deepEqual(valuesOf(run!), ['first', 'last'])
      assert.deepEqual([...run!.offsets], [0, 2])
      assert.equal(run?.checksum(1), crc32c(Buffer.from('keylast')))
      assert.equal(run?.header(1, CHECKSUM_HEADER), run?.checksum(1).toString(16).padStart(8, '0'))
      const [fault] = run!.faults
      assert.deepEqual([fault?.first, fault?.next, fault?.code], [1, 2, 'E_LOG_CORRUPT'])
      assert.equal(Buffer.from(fault!.bytes).toString(), 'damaged')
    }
  },
  {
    name: 'have the time of appending, which never goes back',
    partitions: 1,
    run: async (log, topic) => {
      const before = Date.now()
      for (let index = 0; index < 5; index++) await log.append(topic, records(2))
      const after = Date.now()
      const times = (await readAll(log, { topic, partition: 0 })).flatMap((run) => [...run.timesMs])
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b)
      )
      assert.ok(times[0]! >= before && times.at(-1)! <= after)
    }
  },
  {
    name: 'may be as large as the bound, and one beyond it is refused with its call',
    partitions: 1,
    run: async (log, topic) => {
      const large = { key: 'k', value: Buffer.alloc(RECORD_BYTES_MAX - 1, 'x') }
      await log.append(topic, [record('k', 'a'), large, record('k', 'b'), large])
      const beyond = { key: 'kk', value: large.value }
      await assert.rejects(
        log.append(topic, [record('k', 'c'), beyond]),
        failsWith('E_BODY_TOO_LARGE')
      )
      const values = (await readAll(log, { topic, partition: 0 })).flatMap(valuesOf)
      assert.deepEqual(
        values.map((value) => value?.length),
        [1, RECORD_BYTES_MAX - 1, 1, RECORD_BYTES_MAX - 1]
      )
    }
  },
  {
    name: 'of many callers at once all arrive, each key in its order',
    partitions: 4,
    run: async (log, topic) => {
      const callers = Array.from({ length: 50 }, async (_, caller) => {
        for (let index = 0; index < 6; index++) {
          await log.append(topic, [record(`caller-${caller}`, `${caller}.${index}`)])
        }
      })
      await Promise.all(callers)
      const partitions = await Promise.all(
        [0, 1, 2, 3].map((partition) => readAll(log, { topic, partition }))
      )
      const values = partitions.flat().flatMap(valuesOf)
      assert.equal(values.length, 300)
      for (let caller = 0; caller < 50; caller++) {
        assertInOrder(values, `${caller}`)
      }
    }
  }
]
