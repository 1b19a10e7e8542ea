import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeCover, changeF1 } from './series-metrics.ts'

const annotations = { one: [40], other: [] }

test('cover is the best overlap of each annotated stretch, weighted by its length', () => {
  // Halves of 40 and 60 against one of 100; and the whole against itself.
  assert.equal(changeCover(annotations, [], 100), (0.4 * 0.4 + 0.6 * 0.6 + 1) / 2)
  // Told at 50: stretches of 40 in 50, 50 in 60; of the other, half.
  const cover = (0.4 * (40 / 50) + 0.6 * (50 / 60) + 0.5) / 2
  assert.ok(Math.abs(changeCover(annotations, [50], 100) - cover) < 1e-12)
})

test('F1 takes a change for found within five points, each of them once', () => {
  // The start counts as a change: 2 of 2 told are right, recall is 1 and 1.
  assert.equal(changeF1(annotations, [45]), 1)
  // Precision 1 of 2; recall 1 of 2 and 1 of 1.
  assert.equal(changeF1(annotations, [46]), (2 * 0.5 * 0.75) / 1.25)
  // A second one near the same change is wrong.
  assert.ok(Math.abs(changeF1(annotations, [39, 41]) - (2 * (2 / 3)) / (5 / 3)) < 1e-12)
})
