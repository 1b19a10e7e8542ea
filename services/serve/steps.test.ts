import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Head, LiveFile } from '../lake/commit.ts'
import { DAY_MS, HOUR_MS, type Range } from './range.ts'
import { readInSteps, stepOf } from './steps.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_S = 60

/** A lake of one settled file of windows for each of so many hours. */
const lakeOf = (hours: number, windowsAnHour: number): { head: Head } => {
  const files = Array.from({ length: hours }, (_, hour) => {
    const timeUsMin = (START_MS + hour * HOUR_MS) * 1000
    const file = { rows: windowsAnHour, timeUsMin, timeUsMax: timeUsMin + 59 * 60e6 }
    return [`hour-${hour}`, file as LiveFile] as const
  })
  return { head: { files: new Map([['windows_settled', new Map(files)]]) } as unknown as Head }
}

const rangeOf = (hours: number): Range => ({
  fromMs: START_MS,
  toMs: START_MS + hours * HOUR_MS,
  grain: 'hour'
})

/** Reads minutes that have data, as starts of steps; notes what it was asked. */
const readerOf = (dataS: readonly number[]) => {
  const asked: { range: Range; stepS: number }[] = []
  return {
    asked,
    read: (range: Range, stepS: number): Promise<number[]> => {
      asked.push({ range, stepS })
      const within = dataS.filter((at) => at * 1000 >= range.fromMs && at * 1000 < range.toMs)
      return Promise.resolve([...new Set(within.map((at) => Math.floor(at / stepS) * stepS))])
    },
    startS: (point: number): number => point
  }
}

const minutes = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => START_MS / 1000 + (from + index) * MINUTE_S)

describe('steps of a series', () => {
  test('follow the stretch that has data, and lose none of it', async () => {
    for (const hours of [24, 24 * 7, 24 * 30, 24 * 365]) {
      const data = minutes(607, 121)
      const reader = readerOf(data)
      const { stepS, points } = await readInSteps(lakeOf(3, 1e6), rangeOf(hours), reader)
      assert.equal(stepS, MINUTE_S, `${hours} hours`)
      assert.deepEqual(points, data)
    }
  })

  test('are read once where data is all over the range', async () => {
    const reader = readerOf(minutes(0, 30 * 24 * 60))
    const { stepS, points } = await readInSteps(lakeOf(720, 1e4), rangeOf(720), reader)
    assert.equal(stepS, 6 * 3600)
    assert.equal(points.length, 120)
    assert.equal(reader.asked.length, 1)
  })

  test('of nothing are read once', async () => {
    const reader = readerOf([])
    const range = rangeOf(24)
    assert.deepEqual((await readInSteps(lakeOf(0, 0), range, reader)).points, [])
    assert.equal(reader.asked.length, 1)
  })

  test('are two hundred at most, however long the range', () => {
    for (const days of [0.01, 0.1, 0.25, 1, 7, 30, 90, 366]) {
      const stepS = stepOf(lakeOf(0, 0), rangeOf(24 * days))
      assert.ok((days * DAY_MS) / 1000 / stepS <= 200, `${days} days`)
    }
  })

  test('are hours where minutes would be too many windows to read, beyond six hours', () => {
    assert.equal(stepOf(lakeOf(24, 4000), rangeOf(24)), 900)
    assert.equal(stepOf(lakeOf(24, 5000), rangeOf(24)), 3600)
    assert.equal(stepOf(lakeOf(24, 1e6), rangeOf(6)), 300)
    // Windows of other times cost nothing.
    assert.equal(stepOf(lakeOf(240, 4000), rangeOf(24)), 900)
  })
})
