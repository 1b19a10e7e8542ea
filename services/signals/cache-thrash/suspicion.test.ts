import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCounts, createPool, startMinute, tenantSlot } from './pool.ts'
import { suspects, updateSuspicion, type Suspect } from './suspicion.ts'

const QUIET_MINUTES = 40
const TENANT = 't'

/** Suspects after forty minutes of about as many calls each, and then these. */
const suspectsAfter = (usual: number, calls: readonly number[]): Suspect[] => {
  const pool = createPool('pool', false, 0)
  tenantSlot(pool, TENANT, 0)
  const quiet = Array.from({ length: QUIET_MINUTES }, (_, minute) => usual + (minute % 3) - 1)
  for (const [minute, events] of [...quiet, ...calls].entries()) {
    startMinute(pool, minute)
    addCounts(pool, TENANT, minute, { events, input: 1_000 * events, cached: 0 })
    updateSuspicion(pool, minute)
  }
  return suspects(pool, QUIET_MINUTES + calls.length - 1)
}

test('a minute of few calls amid a growth does not make the rest of it healthy', () => {
  const [suspect] = suspectsAfter(20, [80, 84, 76, 30, 80, 84, 76, 80])
  assert.equal(suspect?.by, 'volume')
  assert.equal(suspect.sure, true)
  assert.equal(suspect.sinceMinute, QUIET_MINUTES, 'since the growth, not since the bet began anew')
})

test('a growth that is too much for health only as its beginning was chosen makes no suspect', () => {
  assert.deepEqual(suspectsAfter(5, [18, 18, 6, 19, 19, 18, 19, 18]), [])
})
