import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { step } from './app/format.ts'
import { cutIn, stacked, stepsOf, withGaps } from './app/steps.ts'

const at = (clock: string): number => Date.parse(`2026-03-02T${clock}Z`) / 1000
const stretch = (from: string, to: string, until: string) => ({
  lake: { version: 1, data_until: `2026-03-02T${until}Z` },
  range: { from: `2026-03-02T${from}Z`, to: `2026-03-02T${to}Z` }
})

describe('steps of a chart', () => {
  test('are cut where the range or the data ends within them', () => {
    const series = { step_s: 300, time: [at('09:00:00'), at('09:05:00'), at('09:10:00')] }
    const cut = (from: string, to: string, until: string): number[] =>
      cutIn(series.time, stepsOf(stretch(from, to, until), series))
    assert.deepEqual(cut('09:00:00', '09:15:00', '12:00:00'), [])
    assert.deepEqual(cut('08:00:00', '10:00:00', '09:14:59'), [2])
    assert.deepEqual(cut('09:02:00', '09:12:00', '12:00:00'), [0, 2])
    const one = { step_s: 300, time: [at('09:00:00')] }
    assert.deepEqual(
      cutIn(one.time, stepsOf(stretch('09:01:00', '09:02:00', '12:00:00'), one)),
      [0]
    )
  })

  test('without a call are gaps, and no line across', () => {
    const time = [0, 60, 240]
    const lines = [{ name: 'calls', values: [5, 6, 7] }]
    assert.deepEqual(withGaps({ time, lines }, 60), {
      time: [0, 60, 120, 180, 240],
      lines: [{ name: 'calls', values: [5, 6, null, null, 7] }]
    })
    assert.deepEqual(withGaps({ time: [], lines }, 60).time, [])
  })

  test('add up line on line, and to nothing where no line has a value', () => {
    const lines = [
      { values: [1, null, null] },
      { values: [2, 3, null] },
      { values: [null, 4, null] }
    ]
    assert.deepEqual(stacked(lines), [
      [1, 0, null],
      [3, 3, null],
      [3, 7, null]
    ])
  })

  test('are named as people say them', () => {
    const names = [60, 300, 3600, 21_600, 86_400, 604_800].map(step)
    assert.deepEqual(names, ['minute', '5 minutes', 'hour', '6 hours', 'day', 'week'])
  })
})
