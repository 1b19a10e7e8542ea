import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { usageAgainst } from './gap-minutes.ts'
import { singleLoss } from './loss.ts'
import { createPool, tenantSlot, type Pool } from './pool.ts'
import { suspects, updateSuspicion, type Suspect } from './suspicion.ts'
import { addToMinute, EVENTS, REMISS, USUAL } from './tenant-ring.ts'

const CHANGE = 40
const END = 48

/** Twenty tenants that lose a tenth of 10,000 usual tokens a minute by chance; one more from CHANGE. */
const poolWith = (seed: number, extra: number): { pool: Pool; slots: number[] } => {
  const random = createRandom(seed)
  const pool = createPool('p', false, 0)
  const slots = Array.from({ length: 20 }, (_, tenant) => tenantSlot(pool, `t${tenant}`, 0))
  for (let minute = 0; minute < END; minute++) {
    for (const slot of slots) {
      const lost = 1000 + 500 * random.normal() + (slot === 7 && minute >= CHANGE ? extra : 0)
      addToMinute(pool.ring, { slot, minute }, EVENTS, 10)
      addToMinute(pool.ring, { slot, minute }, USUAL, 10_000)
      addToMinute(pool.ring, { slot, minute }, REMISS, lost)
    }
  }
  return { pool, slots }
}

const lossOf = (seed: number, extra: number, until = END) => {
  const { pool, slots } = poolWith(seed, extra)
  const usage = usageAgainst(pool, null)
  return singleLoss(pool, { slots, usage }, [10, CHANGE], [CHANGE, until])
}

test('one tenant that loses is evidence, though the others drown it in the sum', () => {
  const { nats, share } = lossOf(1, 1500)
  assert.ok(nats > 10, `${nats}`)
  // 1,500 of its 10,000, and of 200,000 of all.
  assert.ok(Math.abs(share - 1500 / 200_000) < 0.002, `${share}`)
})

test('where nobody loses, having twenty tenants makes no evidence', () => {
  const loud = Array.from({ length: 200 }, (_, seed) => lossOf(100 + seed, 0)).filter(
    ({ nats }) => nats > 3
  )
  assert.ok(loud.length <= 200 * Math.exp(-3) * 2, `${loud.length} of 200 above 3 nats`)
})

test('fewer than five minutes of one tenant tell nothing', () => {
  assert.deepEqual(lossOf(1, 5000, CHANGE + 4), { nats: 0, share: 0 })
})

/** Calls of one tenant by minute, told to the suspicion as they come. */
const suspectAfter = (calls: readonly number[]): Suspect | undefined => {
  const pool = createPool('p', false, 0)
  const slot = tenantSlot(pool, 't', 0)
  const usual = Array.from({ length: CHANGE }, (_, minute) => (minute % 2 === 0 ? 2 : 4))
  for (const [minute, count] of [...usual, ...calls].entries()) {
    addToMinute(pool.ring, { slot, minute }, EVENTS, count)
    updateSuspicion(pool, minute)
  }
  return suspects(pool, CHANGE + calls.length - 1)[0]
}

const natsAfter = (calls: readonly number[]): number => suspectAfter(calls)?.nats ?? 0

test('calls that fall on one side of a minute count as on both', () => {
  const even = natsAfter([14, 14, 14, 14])
  const lumpy = natsAfter([20, 8, 20, 8])
  assert.ok(even > 9 && lumpy > 0.85 * even, `${even} and ${lumpy} nats`)
})

test('one minute, however loud, makes no culprit', () => {
  assert.ok(natsAfter([1000, 3, 3, 3]) < 9)
})

test('who grew little beyond health is no suspect by a lucky start, and is one in doubt before it is sure', () => {
  // 2.9 times the calls for twelve minutes win the bet, but may be 2.8 times as well as not.
  assert.equal(suspectAfter(Array.from({ length: 12 }, () => 8.8)), undefined)
  const doubtful = suspectAfter(Array.from({ length: 6 }, () => 10.5))
  assert.ok(doubtful !== undefined && !doubtful.sure, JSON.stringify(doubtful))
  const sure = suspectAfter(Array.from({ length: 6 }, () => 15))
  assert.ok(sure?.sure === true, JSON.stringify(sure))
})
