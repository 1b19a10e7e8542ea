import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { attribute } from './attribution.ts'
import { createPool, FILLING_MINUTES, tenantSlot, type Pool } from './pool.ts'
import { addToMinute, INPUT, EVENTS, REMISS, USUAL } from './tenant-ring.ts'

const CHANGE = 40
const END = 60

type Minute = { events: number; usual: number; remiss: number }

const poolOf = (minutes: (minute: number) => Minute): Pool => {
  const pool = createPool('p', false, 0)
  pool.laddered = true
  const slot = tenantSlot(pool, 't', 0)
  for (let minute = FILLING_MINUTES; minute < END; minute++) {
    const { events, usual, remiss } = minutes(minute)
    addToMinute(pool.ring, { slot, minute }, EVENTS, events)
    addToMinute(pool.ring, { slot, minute }, INPUT, 1000 * events)
    addToMinute(pool.ring, { slot, minute }, USUAL, usual)
    addToMinute(pool.ring, { slot, minute }, REMISS, remiss)
  }
  return pool
}

const lostOf = (minutes: (minute: number) => Minute): number =>
  attribute(poolOf(minutes), CHANGE, END - 1).ranking[0]!.lost

test('what a tenant was refused since the change is lost, as a share of all that it sent', () => {
  const lost = lostOf((minute) => ({ events: 10, usual: 4000, remiss: minute < CHANGE ? 0 : 1000 }))
  assert.ok(Math.abs(lost - 0.1) < 1e-6, `${lost}`)
})

test('who caches nothing loses nothing', () => {
  const lost = lostOf(() => ({ events: 10, usual: 4000, remiss: 4000 }))
  assert.ok(Math.abs(lost) < 0.001, `${lost}`)
})

test('what few prompts before the change lost by chance hides no loss', () => {
  const random = createRandom(3)
  const lost = lostOf((minute) => {
    const chance = random.uniform() < 0.2 ? 2000 : 0
    return { events: 0.4, usual: 300, remiss: minute < CHANGE ? chance - 400 : 100 }
  })
  assert.ok(Math.abs(lost - 0.25) < 0.05, `${lost}`)
})

test('who was served more than the pool before has lost no more for it', () => {
  const lost = lostOf((minute) => ({
    events: 10,
    usual: 4000,
    remiss: minute < CHANGE ? -800 : 100
  }))
  assert.ok(Math.abs(lost - 0.01) < 1e-6, `${lost}`)
})
