import assert from 'node:assert/strict'
import type { ConformanceCase } from './case.ts'

/** Membership of a group. */
export const MEMBERSHIP: readonly ConformanceCase[] = [
  {
    name: 'gives all partitions to the only member, new ones too, until it leaves',
    partitions: 2,
    run: async (log, topic) => {
      const seen: number[][] = []
      let wake = (): void => undefined
      const membership = await log.join(topic, `group.${topic}`, {
        assigned: (partitions) => {
          seen.push(partitions)
          wake()
        },
        failed: (error) => assert.fail(error)
      })
      const until = async (count: number): Promise<void> => {
        while (seen.at(-1)?.length !== count) await new Promise<void>((done) => (wake = done))
      }
      await until(2)
      await log.addPartitions(topic, 3)
      await until(3)
      assert.deepEqual(seen.at(-1), [0, 1, 2])
      await membership.advise(new Map([[0, 1]]))
      await membership.leave()
      await membership.leave()
    }
  }
]
