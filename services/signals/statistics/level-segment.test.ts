import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { likeliestBend } from './level-bend.ts'
import { addLevel } from './level-detector.ts'
import { createLevels, L, SPLIT } from './level-record.ts'
import { addPoint, before, restart, segmentOf, since, type Sums } from './level-segment.ts'

const random = createRandom(7)
const values = Array.from({ length: 90 }, (_, i) => Math.abs(i - 40) / 3 + random.normal())

const fed = (): Float64Array => {
  const levels = createLevels()
  addLevel(levels)
  for (const value of values) addPoint(levels.doubles, 0, value)
  return levels.doubles
}

/** Sums as their definition has them. */
const sumsOf = (own: readonly number[]): Sums => {
  const x = own.map((value) => value - values[0]!)
  const total = (of: (value: number, index: number) => number): number =>
    x.reduce((sum, value, index) => sum + of(value, index), 0)
  return {
    points: x.length,
    sum: total((value) => value),
    squares: total((value) => value * value),
    products: total((value, index) => (index === 0 ? 0 : value * x[index - 1]!)),
    byPlace: total((value, index) => value * index),
    first: x[0]!,
    last: x.at(-1)!
  }
}

const assertClose = (found: Sums, own: readonly number[]): void => {
  const expected = sumsOf(own)
  for (const name of Object.keys(expected) as (keyof Sums)[]) {
    assert.ok(Math.abs(found[name] - expected[name]) < 1e-8, `${name} of ${own.length}`)
  }
}

const placesOf = (d: Float64Array): number[] =>
  Array.from({ length: d[L.splits]! }, (_, index) => L.split + index * SPLIT)

test('sums before and since each kept place are those of its points, after a restart too', () => {
  const d = fed()
  let left: readonly number[] = values
  for (const from of [0, 8, 2]) {
    if (from > 0) left = values.slice(restart(d, 0, placesOf(d)[from]!))
    assertClose(segmentOf(d, 0), left)
    assert.ok(placesOf(d).length > 3, 'later places go on')
    for (const place of placesOf(d)) {
      assertClose(before(d, 0, place), left.slice(0, d[place]))
      assertClose(since(d, place, segmentOf(d, 0)), left.slice(d[place]!))
    }
  }
})

/** Squares that columns leave of values, by Gram and Schmidt; and the residuals. */
const residualsOf = (columns: readonly number[][]): number[] => {
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, index) => sum + x * b[index]!, 0)
  const less = (x: number[], q: readonly number[]): number[] => {
    const share = dot(x, q) / dot(q, q)
    return x.map((value, index) => value - share * q[index]!)
  }
  const basis: number[][] = []
  for (const column of columns) basis.push(basis.reduce(less, column))
  return basis.reduce(less, values)
}

test('the likeliest bend is the one of least squares among the kept places', () => {
  const d = fed()
  const ones = values.map(() => 1)
  const places = values.map((_, index) => index)
  const leftAt = (k: number): number[] =>
    residualsOf([ones, places, places.map((i) => Math.max(0, i - k))])
  const squares = (x: readonly number[]): number => x.reduce((sum, one) => sum + one * one, 0)
  const allowed = placesOf(d)
    .map((place) => d[place]!)
    .filter((k) => k >= 12 && values.length - k >= 12)
  const best = allowed.reduce((a, b) => (squares(leftAt(b)) < squares(leftAt(a)) ? b : a))
  // Any turn matters to a series that has hardly moved so far.
  d[L.points] = values.length
  d[L.squares] = 1
  const bend = likeliestBend(d, 0)!
  assert.equal(d[bend.split], best)
  const left = leftAt(best)
  const line = residualsOf([ones, places])
  const together =
    left.reduce((sum, x, i) => (i === 0 || i === best ? sum : sum + x * left[i - 1]!), 0) /
    squares(left)
  const correlation = Math.max(0, together + (4 + 6 * Math.max(0, together)) / values.length)
  const freedom = (1 - correlation) / (1 + correlation)
  const nats = ((values.length - 4) * freedom * Math.log(squares(line) / squares(left))) / 2
  assert.ok(Math.abs(bend.nats - nats) < 1e-8, `${bend.nats} ${nats}`)
  assert.ok(Math.abs(bend.places - values.length * freedom) < 1e-8)
  const fitted = values.map((value, i) => value - left[i]!)
  assert.ok(Math.abs(bend.slopes[0] - (fitted[1]! - fitted[0]!)) < 1e-8)
  assert.ok(Math.abs(bend.slopes[1] - (fitted.at(-1)! - fitted.at(-2)!)) < 1e-8)
})
