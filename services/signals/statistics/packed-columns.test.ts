import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pack, recordsFrom, unpack } from './checkpoint.ts'
import { packColumns, unpackColumns } from './packed-columns.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')

const doubles = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.nat({ max: 255 }),
  fc.constant(0),
  fc.nat({ max: 100_000 }).map((minute) => START_MS + minute * 60_000),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER, 2 ** 32, -(2 ** 31))
)

/** The sign of zero is not kept: nothing that folds asks for it. */
const withoutSign = (values: Iterable<number>): number[] =>
  Array.from(values, (value) => (value === 0 ? 0 : value))

for (const [name, make] of [
  ['doubles', (values: number[]) => Float64Array.from(values)],
  ['floats', (values: number[]) => Float32Array.from(values)],
  ['bytes', (values: number[]) => Int8Array.from(values)]
] as const) {
  test(`packed ${name} come back as they were`, () => {
    // One pool of values makes columns of one kind; the mixture of all makes the others.
    const column = fc.oneof(fc.array(doubles), fc.array(fc.nat({ max: 70_000 })))
    fc.assert(
      fc.property(column, fc.integer({ min: 1, max: 4 }), (values, stride) => {
        const array = make(values.slice(0, values.length - (values.length % stride)))
        const back = make(Array.from(array, () => 1))
        unpackColumns(packColumns({ values: array, stride }), { values: back, stride })
        assert.deepEqual(withoutSign(back), withoutSign(array))
      }),
      { seed: 7, numRuns: 500 }
    )
  })
}

test('counts and times of many records take a fraction of their bytes, over several blocks', () => {
  const records = 3000
  const values = Float64Array.from({ length: records * 4 }, (_, i) => {
    const record = Math.floor(i / 4)
    return [START_MS + (record % 500) * 60_000, record % 200, 0, record / 3][i % 4]!
  })
  const packed = packColumns({ values, stride: 4 })
  // Two bytes of time, one of count, none of zero, eight of the fraction.
  assert.ok(packed.length < records * 11.1, `${packed.length / records} bytes a record`)
  const back = new Float64Array(values.length)
  unpackColumns(packed, { values: back, stride: 4 })
  assert.deepEqual(back, values)
})

test('records that were saved before they were packed come back too', () => {
  const shape = { doubles: 2, floats: 1, bytes: 3 }
  const saved = [
    Float64Array.of(1, 2.5, 3, 4),
    Float32Array.of(0.5, 7),
    Int8Array.of(1, -2, 3, 4, 5, 6)
  ]
  const { arrays } = unpack(pack({}, saved))
  const { doubles, floats, bytes, size } = recordsFrom(shape, 2, arrays)
  assert.equal(size, 2)
  assert.deepEqual([doubles.subarray(0, 4), floats.subarray(0, 2), bytes.subarray(0, 6)], saved)
})
