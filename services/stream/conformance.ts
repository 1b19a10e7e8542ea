import { describe, test } from 'node:test'
import type { ConformanceCase, ConformantLog } from './conformance/case.ts'
import { MEMBERSHIP } from './conformance/membership.ts'
import { READING } from './conformance/reading.ts'
import { RECORDS } from './conformance/records.ts'
import { TOPICS } from './conformance/topics.ts'

export type ConformanceOptions = {
  /** The implementation's name. */
  name: string
  open: () => ConformantLog
  /** Why it can not run here; false when it can. */
  skip: string | false
}

const GROUPS: Readonly<Record<string, readonly ConformanceCase[]>> = {
  topics: TOPICS,
  records: RECORDS,
  reading: READING,
  membership: MEMBERSHIP
}

/**
 * Declares what every implementation of `EventLog` has to do as tests. Each implementation runs
 * this same suite from its own test file. Each case has a topic of its own.
 */
export const conformance = ({ name, open, skip }: ConformanceOptions): void => {
  let topics = 0
  const runCase = async ({ partitions, run }: ConformanceCase): Promise<void> => {
    const topic = `conformance.${process.pid}.${topics++}`
    const log = open()
    await log.ensureTopic(topic, partitions)
    await run(log, topic)
    await log.deleteTopic(topic)
  }
  for (const [group, cases] of Object.entries(GROUPS)) {
    describe(`${name}: ${group}`, { skip }, () => {
      for (const one of cases) test(one.name, () => runCase(one))
    })
  }
}
