import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openScratchLake, scratchFolder } from '../../services/lake/scratch-lake.ts'
import { HOUR_MS } from './closed-hours.ts'
import { resettleKey, settleHour, type SettleRows } from './settle-hour.ts'

const HOUR = Date.parse('2026-03-02T00:00:00Z')
const LATER = HOUR + HOUR_MS

/** Rows of which nothing is left, and what else happens while they are worked out. */
const rows = (again: readonly number[], meanwhile = async (): Promise<void> => {}): SettleRows => ({
  provisionalHours: async () => [],
  openVersions: async () => new Set(),
  workOut: async () => {
    await meanwhile()
    const counts = { events: 0, merged: 0, disagreements: 0 }
    return { adds: [], counts, dropped: 0, conflicting: 0, again }
  }
})

for (const isMarkedBefore of [false, true]) {
  test(`an hour ${isMarkedBefore ? 'that is due again' : 'in work'} keeps the mark that another settler gives it meanwhile`, async (t) => {
    const lake = await openScratchLake(await scratchFolder(t))
    const doors = { lake, generation: 'one' }
    const mark = async (): Promise<void> => {
      await settleHour(doors, rows([HOUR]), { head: await lake.head(), startMs: LATER })
    }
    if (isMarkedBefore) await mark()
    const work = { head: await lake.head(), startMs: HOUR }
    assert.equal(await settleHour(doors, rows([], mark), work), null)
    assert.equal((await lake.head()).state.get(resettleKey(HOUR)), true)
    const again = { head: await lake.head(), startMs: HOUR }
    assert.notEqual(await settleHour(doors, rows([]), again), null)
    assert.equal((await lake.head()).state.has(resettleKey(HOUR)), false)
  })
}
