import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createGapMinutes,
  curveOf,
  noteGap,
  restoreGapMinutes,
  savedGapMinutes,
  usageAgainst
} from './gap-minutes.ts'
import { createPool, tenantSlot } from './pool.ts'
import { gapBin } from './served-curve.ts'
import { addToMinute, REMISS, RING_MINUTES, USUAL } from './tenant-ring.ts'

const SHORT = gapBin(30)
const LONG = gapBin(100)
const MINUTE = 1000

/** Minutes in which 1,000 tokens come back soon and are served, and as many later, a part served. */
const minutesWith = (from: number, to: number, late: number) => {
  const ring = createGapMinutes()
  for (let minute = from; minute < to; minute++) {
    noteGap(ring, minute, { bin: SHORT, served: 1000, missed: 0, usual: 1000 })
    noteGap(ring, minute, { bin: LONG, served: late, missed: 1000 - late, usual: 1000 })
  }
  return ring
}

test('the curve of a stretch is that of its own minutes, also after a restart', () => {
  const ring = minutesWith(MINUTE, MINUTE + 30, 800)
  for (let minute = MINUTE + 30; minute < MINUTE + 40; minute++) {
    noteGap(ring, minute, { bin: LONG, served: 200, missed: 800, usual: 1000 })
  }
  const again = restoreGapMinutes(savedGapMinutes(ring).map((array) => Float64Array.from(array)))
  for (const kept of [ring, again]) {
    const before = curveOf(kept, MINUTE, MINUTE + 30)
    assert.equal(before[SHORT], 1)
    assert.equal(before[LONG], 0.8)
    assert.equal(curveOf(kept, MINUTE + 30, MINUTE + 40)[LONG], 0.2)
  }
})

test('minutes that the ring no longer holds are left out, and late rows do not clear newer ones', () => {
  const ring = minutesWith(MINUTE, MINUTE + 1, 800)
  const later = MINUTE + RING_MINUTES
  noteGap(ring, later, { bin: LONG, served: 500, missed: 500, usual: 1000 })
  noteGap(ring, MINUTE, { bin: LONG, served: 0, missed: 9000, usual: 0 })
  assert.equal(curveOf(ring, MINUTE, later + 1)[LONG], 0.5)
})

test('a loss is counted against the curve of before, whatever the reader took for usual', () => {
  const pool = createPool('p', false, MINUTE)
  const slot = tenantSlot(pool, 't', MINUTE)
  // Read against a cache that serves all, though it had long served 800 of the late 1,000.
  pool.gapMinutes = minutesWith(MINUTE, MINUTE + 30, 800)
  addToMinute(pool.ring, { slot, minute: MINUTE + 29 }, USUAL, 2000)
  addToMinute(pool.ring, { slot, minute: MINUTE + 29 }, REMISS, 200)
  const curve = curveOf(pool.gapMinutes, MINUTE, MINUTE + 29)
  const { usual, remiss } = usageAgainst(pool, curve)(slot, MINUTE + 29)
  assert.ok(Math.abs(usual - 1800) < 1e-3 && Math.abs(remiss) < 1e-3, `${usual} ${remiss}`)
  assert.deepEqual(usageAgainst(pool, null)(slot, MINUTE + 29), { usual: 2000, remiss: 200 })
})
