import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { pack, recordArrays, recordsFrom, unpack } from './checkpoint.ts'
import { addLevel, observeLevel } from './level-detector.ts'
import { createLevels, LEVEL_SHAPE } from './level-record.ts'
import { recordBytes, type Records } from './records.ts'

type Told = { alarms: number[]; changes: number[] }

const watch = (values: readonly number[], records = createLevels(), from = 0): Told => {
  if (records.size === 0) addLevel(records)
  const told: Told = { alarms: [], changes: [] }
  for (const [index, value] of values.entries()) {
    const { alarm, changedAt } = observeLevel(records, 0, value)
    if (alarm) told.alarms.push(from + index)
    if (changedAt !== null) told.changes.push(changedAt)
  }
  return told
}

const noise = (points: number, seed: number, level: (index: number) => number): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: points }, (_, index) => level(index) + random.normal())
}

test('a lasting change of level is dated to within five points, whatever the unit', () => {
  for (const unit of [1e-6, 1, 1e9]) {
    const values = noise(400, 1, (index) => (index < 220 ? 50 : 53)).map((x) => x * unit)
    const { changes } = watch(values)
    assert.equal(changes.length, 1, `${changes.join(' ')} at ${unit}`)
    assert.ok(Math.abs(changes[0]! - 220) <= 5, `${changes[0]}`)
  }
})

test('noise, a constant and a steady climb change nothing', () => {
  assert.deepEqual(watch(noise(3000, 2, () => 10)).changes, [])
  assert.deepEqual(watch(Array.from({ length: 500 }, () => 7)), { alarms: [], changes: [] })
  assert.deepEqual(watch(Array.from({ length: 300 }, (_, index) => index)).changes, [])
  assert.deepEqual(watch(noise(600, 5, (index) => index / 100)).changes, [])
})

/** Waves: each value keeps 0.9 of the one before. Standard deviation 1. */
const waves = (seed: number, level: (index: number) => number): number[] => {
  let last = 0
  return noise(500, seed, () => 0).map((x, index) => {
    last = 0.9 * last + Math.sqrt(1 - 0.9 ** 2) * x
    return last + level(index)
  })
}

test('values that follow one another seldom pass for a change, and do not hide one', () => {
  const seeds = Array.from({ length: 30 }, (_, seed) => 1000 + seed)
  const calm = seeds.flatMap((seed) => watch(waves(seed, () => 0)).changes)
  assert.ok(calm.length <= 30, `${calm.length} in 15,000 points`)
  const found = seeds.flatMap((seed) =>
    watch(waves(seed, (index) => (index < 300 ? 0 : 4))).changes.filter(
      (at) => Math.abs(at - 300) <= 25
    )
  )
  const dated = found.filter((at) => Math.abs(at - 300) <= 5)
  assert.ok(found.length >= 26 && dated.length >= 22, `${dated.length} of ${found.length} of 30`)
})

test('a change of slope is dated to within a tenth of what was seen of it, whatever the unit', () => {
  for (const [seed, unit] of [1e-6, 1, 1e9].entries()) {
    const bent = noise(400, 20 + seed, (index) => Math.abs(index - 200) / 10)
    const { changes } = watch(bent.map((x) => x * unit))
    assert.equal(changes.length, 1, `${changes.join(' ')} at ${unit}`)
    assert.ok(Math.abs(changes[0]! - 200) <= 20, `${changes[0]}`)
  }
})

test('a slope that follows one just told is found too', () => {
  const level = (index: number): number =>
    index < 200 ? index / 5 : index < 240 ? 40 - (index - 200) : 0.8 * (index - 240)
  const { changes } = watch(noise(320, 30, level))
  const [peak, trough] = changes
  assert.ok(Math.abs(peak! - 200) <= 5 && Math.abs(trough! - 240) <= 5, changes.join(' '))
})

test('a slight curve is no bend, and a daily wave is told only while its slopes are new', () => {
  const curve = noise(800, 6, (index) => 10 * index + index * index * 5e-4)
  assert.deepEqual(watch(curve).changes, [])
  const counts = Array.from({ length: 10 }, (_, seed) => {
    const wave = noise(1440, 40 + seed, (index) => 5 * Math.sin((index * Math.PI) / 48))
    return watch(wave).changes.length
  })
  const all = counts.reduce((sum, count) => sum + count, 0)
  assert.ok(all <= 80, `${counts.join(' ')} in 15 waves each, which bend 30 times`)
})

test('a value unlike all before alarms at once, and is told once', () => {
  const values = noise(1500, 3, (index) => (index >= 1000 && index < 1010 ? 30 : 0))
  const { alarms } = watch(values)
  assert.deepEqual(
    alarms.filter((at) => at >= 1000 && at < 1050),
    [alarms.find((at) => at >= 1000)]
  )
  assert.ok(alarms.find((at) => at >= 1000)! <= 1003)
})

test('in a thousand points of noise there is less than one alarm', () => {
  const alarms = Array.from(
    { length: 10 },
    (_, seed) => watch(noise(2000, 10 + seed, () => 0)).alarms
  )
  assert.ok(alarms.flat().length <= 20, `${alarms.flat().length} in 20,000 points`)
})

test('a series takes at most 2 KB, and goes on from its bytes as if it had never stopped', () => {
  assert.ok(recordBytes(LEVEL_SHAPE) <= 2048, `${recordBytes(LEVEL_SHAPE)}`)
  const values = noise(900, 4, (index) => (index < 500 ? 0 : 4))
  const through = watch(values)
  const records: Records = createLevels()
  const first = watch(values.slice(0, 505), records)
  const { arrays } = unpack(pack({}, recordArrays(records)))
  const second = watch(values.slice(505), recordsFrom(LEVEL_SHAPE, 1, arrays), 505)
  assert.deepEqual([...first.alarms, ...second.alarms], through.alarms)
  assert.deepEqual([...first.changes, ...second.changes], through.changes)
  assert.equal(through.changes.length, 1)
})
