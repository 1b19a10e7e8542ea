import assert from 'node:assert/strict'
import { failsWith, NO_WAIT, PATIENT, record, records, type ConformanceCase } from './case.ts'

/** Topics: made, made anew, grown. */
export const TOPICS: readonly ConformanceCase[] = [
  {
    name: 'are created once and have an identity of their own',
    partitions: 3,
    run: async (log, topic) => {
      assert.equal(await log.ensureTopic(topic, 3), false)
      const states = await log.partitions(topic)
      assert.deepEqual(
        states.map(({ partition, start, end }) => [partition, start, end]),
        [
          [0, 0, 0],
          [1, 0, 0],
          [2, 0, 0]
        ]
      )
      assert.equal(new Set(states.map(({ incarnation }) => incarnation)).size, 1)
    }
  },
  {
    name: 'that are not there are reported',
    partitions: 1,
    run: async (log) => {
      await assert.rejects(log.partitions('not.there'), failsWith('E_LOG_UNAVAILABLE'))
      await assert.rejects(log.append('not.there', records(1)), failsWith('E_LOG_UNAVAILABLE'))
      await assert.rejects(log.read('not.there', 0, 0, NO_WAIT), failsWith('E_LOG_UNAVAILABLE'))
    }
  },
  {
    name: 'that are made anew are told from the old ones',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, records(2))
      const [before] = await log.partitions(topic)
      await log.deleteTopic(topic)
      await log.ensureTopic(topic, 1)
      await log.append(topic, records(5))
      const [after] = await log.partitions(topic)
      assert.notEqual(after?.incarnation, before?.incarnation)
      assert.deepEqual([after?.start, after?.end], [0, 5])
      const old = { ...NO_WAIT, incarnation: before!.incarnation }
      await assert.rejects(log.read(topic, 0, 2, old), failsWith('E_LOG_RECREATED'))
      const run = await log.read(topic, 0, 2, { ...PATIENT, incarnation: after!.incarnation })
      assert.equal(run.count, 3)
    }
  },
  {
    name: 'may grow: new partitions are seen and used',
    partitions: 1,
    run: async (log, topic) => {
      await log.append(topic, records(1))
      await log.addPartitions(topic, 4)
      assert.equal((await log.partitions(topic)).length, 4)
      const keys = Array.from({ length: 40 }, (_, index) => record(`key-${index}`, 'v'))
      await log.append(topic, keys)
      const ends = (await log.partitions(topic)).map(({ end }) => end)
      assert.ok(
        ends.slice(1).every((end) => end > 0),
        ends.join()
      )
    }
  }
]
