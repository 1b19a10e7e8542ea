import assert from 'node:assert/strict'
import type { ConformanceCase } from './case.ts'
import { Member } from './member.ts'

/** Membership of a group. */
export const MEMBERSHIP: readonly ConformanceCase[] = [
  {
    name: 'gives all partitions to the only member, new ones too, until it leaves',
    partitions: 2,
    run: async (log, topic) => {
      const member = new Member()
      const membership = await log.join(topic, topic, member)
      await member.until(() => member.held.length === 2)
      await log.addPartitions(topic, 3)
      await member.until(() => member.held.length === 3)
      assert.deepEqual(member.held, [0, 1, 2])
      await membership.advise(new Map([[0, 1]]))
      await membership.leave()
      await membership.leave()
      assert.deepEqual(member.failures, [])
    }
  },
  {
    name: 'hands on one assignment at a time, and skips those that were overtaken',
    partitions: 1,
    run: async (log, topic) => {
      const member = new Member()
      let release = (): void => undefined
      const isBusy = new Promise<void>((resolve) => (release = resolve))
      const membership = await log.join(topic, topic, {
        assigned: async (partitions) => {
          member.assigned(partitions)
          if (member.seen.length === 1) await isBusy
        },
        failed: member.failed
      })
      await member.until(() => member.seen.length === 1)
      await log.addPartitions(topic, 2)
      await log.addPartitions(topic, 3)
      assert.deepEqual(member.seen, [[0]])
      release()
      await member.until(() => member.held.length === 3)
      await membership.leave()
    }
  },
  {
    name: 'ends with the error of a member that can not take its partitions',
    partitions: 1,
    run: async (log, topic) => {
      const member = new Member()
      const membership = await log.join(topic, topic, {
        assigned: () => Promise.reject(new Error('the lake is gone')),
        failed: member.failed
      })
      await member.until(() => member.failures.length === 1)
      assert.equal(member.failures[0]?.message, 'the lake is gone')
      await membership.leave()
    }
  }
]
