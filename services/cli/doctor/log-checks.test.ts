import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { Range } from '../../lake/commit.ts'
import type { PartitionState } from '../../stream/log.ts'
import { logChecks } from './log-checks.ts'
import type { Patient } from './patient.ts'

const INCARNATION = 'topic-1'

/** What the check of landing says of a lake that has everything up to the log's ends. */
const landingOf = async (states: readonly PartitionState[]): Promise<string> => {
  const positions = new Map(
    states.map(({ partition, end }) => {
      const range = { topic: EVENTS_TOPIC, partition, incarnation: INCARNATION, next: end }
      return [`${EVENTS_TOPIC}/${partition}`, range as Range]
    })
  )
  const patient = {
    nowMs: 0,
    log: () => ({ partitions: async () => states }),
    site: async () => ({ lake: { head: async () => ({ positions }) } })
  }
  const check = logChecks.find(({ name }) => name === 'landing')
  return (await check?.look(patient as unknown as Patient)) ?? ''
}

const stateOf = (partition: number, heldBack?: number): PartitionState => ({
  partition,
  incarnation: INCARNATION,
  start: 0,
  end: 7,
  ...(heldBack === undefined ? {} : { heldBack })
})

test('an open transaction that holds the end back is told, and where', async () => {
  assert.equal(await landingOf([stateOf(0), stateOf(1)]), 'everything in the log is landed')
  assert.equal(
    await landingOf([stateOf(0), stateOf(1, 3), stateOf(2, 2)]),
    'everything in the log is landed, but 5 behind an open transaction of another producer (partition 1, 2)'
  )
})
