import assert from 'node:assert/strict'
import { partitionOf } from '../records/partitioner.ts'
import {
  failsWith,
  NO_WAIT,
  PATIENT,
  readAll,
  record,
  records,
  valueAt,
  type ConformanceCase
} from './case.ts'

/** Reading: offsets, waits and bounds. */
export const READING: readonly ConformanceCase[] = [
  {
    name: 'at the end waits, then gives an empty run',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, records(2))
      const started = performance.now()
      const run = await log.read(topic, 0, 2, { ...NO_WAIT, waitMsMax: 60 })
      assert.ok(performance.now() - started >= 55)
      assert.deepEqual([run.count, run.next, run.faults.length], [0, 2, 0])
    }
  },
  {
    name: 'at the end ends as soon as a record comes',
    partitions: 2,
    run: async (log, topic) => {
      const key = ['a', 'b', 'c', 'd'].find((one) => partitionOf(one, 2) === 1)!
      const idle = log.read(topic, 0, 0, { ...NO_WAIT, waitMsMax: 400 })
      const waiting = log.read(topic, 1, 0, PATIENT)
      await log.append(topic, records(1, key))
      assert.equal((await waiting).count, 1)
      assert.equal((await idle).count, 0)
    }
  },
  {
    name: 'ends at once when it is called off',
    partitions: 1,
    run: async (log, topic) => {
      const abort = new AbortController()
      const waiting = log.read(topic, 0, 0, { ...PATIENT, signal: abort.signal })
      abort.abort()
      assert.equal((await waiting).count, 0)
      const late = await log.read(topic, 0, 0, { ...PATIENT, signal: AbortSignal.abort() })
      assert.equal(late.count, 0)
    }
  },
  {
    name: 'takes about as many bytes as asked for, and goes on behind them',
    partitions: 1,
    run: async (log, topic) => {
      const value = Buffer.alloc(100_000, 'x')
      for (let index = 0; index < 6; index++) {
        await log.append(
          topic,
          Array.from({ length: 5 }, () => ({ key: 'k', value }))
        )
      }
      let offset = 0
      let reads = 0
      while (offset < 30) {
        const run = await log.read(topic, 0, offset, { ...PATIENT, bytesMax: 300_000 })
        assert.ok(run.bytes.length < 1_300_000, `${run.bytes.length}`)
        assert.ok(run.count > 0)
        offset = run.next
        reads++
      }
      assert.ok(reads >= 4, `${reads} reads`)
    }
  },
  {
    name: 'below what retention has left is a gap',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, records(10))
      await log.deleteBefore(topic, 0, 4)
      await log.deleteBefore(topic, 0, 2)
      const [state] = await log.partitions(topic)
      assert.deepEqual([state?.start, state?.end], [4, 10])
      for (const offset of [0, 3]) {
        await assert.rejects(log.read(topic, 0, offset, PATIENT), failsWith('E_LOG_GAP'))
      }
      const [run] = await readAll(log, { topic, partition: 0, from: 4 })
      assert.equal(valueAt(run!, 0), 'value-4')
    }
  },
  {
    name: 'may find everything removed, and goes on with what comes',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, records(3))
      await log.deleteBefore(topic, 0, 3)
      await assert.rejects(log.read(topic, 0, 0, NO_WAIT), failsWith('E_LOG_GAP'))
      await log.append(topic, [record('key', 'next')])
      const run = await log.read(topic, 0, 3, PATIENT)
      assert.deepEqual([...run.offsets], [3])
    }
  },
  {
    name: 'beyond the end is a truncation',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, records(3))
      await assert.rejects(log.read(topic, 0, 4, PATIENT), failsWith('E_LOG_TRUNCATED'))
      await assert.rejects(log.read(topic, 1, 0, PATIENT), failsWith('E_LOG_UNAVAILABLE'))
    }
  }
]
