import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ListChunk } from '../lake/list-columns.ts'
import { mergeBins, quantileOf, wholeOf, type Merged } from './quantiles.ts'

const SEED = 11

type Entry = [bin: number, count: number]
type Histogram = { group: number; entries: Entry[] }

const histograms = fc.array(
  fc.record({
    group: fc.integer({ min: 0, max: 3 }),
    entries: fc.uniqueArray(
      fc.tuple(fc.integer({ min: -1, max: 2000 }), fc.integer({ min: 1, max: 2 ** 40 })),
      { selector: ([bin]) => bin, maxLength: 6 }
    )
  }),
  { maxLength: 12 }
)

const listsOf = (rows: readonly Histogram[], part: 0 | 1, kind: 'bins' | 'counts') => {
  const values = rows.flatMap(({ entries }) => entries.map((entry) => entry[part]))
  const lengths = Uint32Array.from(rows, ({ entries }) => entries.length)
  const starts = Uint32Array.from(rows, (_, row) =>
    lengths.subarray(0, row).reduce((sum, length) => sum + length, 0)
  )
  return {
    starts,
    lengths,
    values: kind === 'bins' ? Int16Array.from(values) : Float64Array.from(values)
  }
}

/** Chunks as the database hands them over, three rows each. */
async function* chunksOf(rows: readonly Histogram[]): AsyncGenerator<ListChunk> {
  for (let at = 0; at < rows.length; at += 3) {
    const part = rows.slice(at, at + 3)
    yield {
      rows: part.length,
      keys: Float64Array.from(part, ({ group }) => group),
      lists: [listsOf(part, 0, 'bins'), listsOf(part, 1, 'counts')],
      owner: null
    }
  }
}

const summed = (rows: readonly Histogram[]): Map<number, number> => {
  const counts = new Map<number, number>()
  for (const [bin, count] of rows.flatMap(({ entries }) => entries))
    counts.set(bin, (counts.get(bin) ?? 0) + count)
  return counts
}

const asMap = ({ lowest, counts }: Merged): Map<number, number> =>
  new Map([...counts].flatMap((count, at): Entry[] => (count === 0 ? [] : [[lowest + at, count]])))

const sorted = (counts: Map<number, number>): Entry[] => [...counts].sort(([a], [b]) => a - b)

test('bins of a group are added up, in however many parts they come, and so are all groups', async () => {
  const property = fc.asyncProperty(histograms, async (rows) => {
    for (const binsAtOnceMax of [1, 8, 1000]) {
      const merged = await mergeBins(chunksOf(rows), binsAtOnceMax)
      for (const [group, bins] of merged) {
        const own = rows.filter((row) => row.group === group)
        assert.deepEqual(sorted(asMap(bins)), sorted(summed(own)))
      }
      assert.deepEqual(sorted(asMap(wholeOf(merged.values()))), sorted(summed(rows)))
    }
  })
  await fc.assert(property, { seed: SEED })
})

test('a quantile is the value of the first bin that reaches its share; nothing has none', async () => {
  const rows: Histogram[] = [
    {
      group: 0,
      entries: [
        [100, 94],
        [-1, 1],
        [200, 5]
      ]
    }
  ]
  const bins = (await mergeBins(chunksOf(rows))).get(0)!
  const value = (bin: number): number => (2 / 2.02) * 1.02 ** bin
  assert.equal(quantileOf(bins, 1), 0)
  assert.equal(quantileOf(bins, 95), value(100))
  assert.equal(quantileOf(bins, 96), value(200))
  assert.equal(quantileOf(wholeOf([]), 50), null)
})
