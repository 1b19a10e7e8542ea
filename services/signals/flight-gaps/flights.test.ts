import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityOf } from '../statistics/identity.ts'
import {
  agentOf,
  beginFlights,
  createFlights,
  hasStep,
  NO_AGENT,
  seeAgent,
  seeStep
} from './flights.ts'

const HALF_HOUR_MS = 1_800_000

test('steps and agents are known for two half hours, longer where they are asked for', () => {
  const flights = createFlights()
  const [left, asked, trace] = ['left', 'asked', 'trace'].map((name) => identityOf(name))
  beginFlights(flights, HALF_HOUR_MS)
  seeStep(flights, left!)
  seeStep(flights, asked!)
  seeAgent(flights, trace!, 'planner')
  const knownAt = (halfHours: number): boolean => {
    const ms = halfHours * HALF_HOUR_MS
    beginFlights(flights, ms)
    return hasStep(flights, asked!, ms) === true
  }
  // Asked for in each half hour, one is known on; the others end with the second.
  for (const halfHours of [2, 3, 4, 5]) assert.equal(knownAt(halfHours), true, `${halfHours}`)
  assert.equal(hasStep(flights, left!, 5 * HALF_HOUR_MS), false)
  assert.equal(agentOf(flights, trace!), NO_AGENT)
  assert.equal(flights.young.size + flights.old.size, 2)
})
