import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { floorsOf, memorySlope } from './memory-slope.ts'

const HOUR_S = 3600
/** An hour of samples, work of up to 800 MiB coming and going every three minutes. */
const hour = (leakMib: number) =>
  Array.from({ length: HOUR_S / 5 }, (_, index) => {
    const atS = index * 5
    const work = ((index * 37) % 36) * 22
    return { atS, mib: 900 + work + (leakMib * atS) / HOUR_S }
  })

describe('memory over time', () => {
  test('rises by what is never given back, within its interval', () => {
    for (const leak of [0, 60, 300]) {
      const { mibPerHour, plusMinus } = memorySlope(hour(leak))!
      assert.ok(Math.abs(mibPerHour - leak) <= plusMinus, `${leak}: ${mibPerHour} ± ${plusMinus}`)
    }
  })

  test('shows a leak in its floors where the work hides it', () => {
    const { plusMinus: wide } = memorySlope(hour(60))!
    const floors = floorsOf(hour(60), 180)
    assert.equal(floors.length, 20)
    const { mibPerHour, plusMinus } = memorySlope(floors)!
    assert.ok(wide > 30 && plusMinus < 5, `± ${wide} and ± ${plusMinus}`)
    assert.ok(Math.abs(mibPerHour - 60) < 5, String(mibPerHour))
  })

  test('is no line for a few samples', () => assert.equal(memorySlope(hour(0).slice(0, 9)), null))
})
