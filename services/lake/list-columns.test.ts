import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedEngine } from './scratch-lake.ts'

test('lists come as they lie, over many chunks, and a null has none', async () => {
  const engine = await sharedEngine()
  const rows = 5000
  const sql = `SELECT i::DOUBLE, CASE WHEN i % 7 = 3 THEN NULL ELSE range(i % 5)::SMALLINT[] END,
    CASE WHEN i % 7 = 3 THEN NULL ELSE list_transform(range(i % 5), x -> (x * i)::DOUBLE) END
    FROM range(${rows}) r(i)`
  let seen = 0
  for await (const { rows: count, keys, lists } of engine.lists(sql)) {
    for (let row = 0; row < count; row++) {
      const i = keys[row]!
      const [small, large] = lists.map(({ starts, lengths, values }) =>
        Array.from(values.subarray(starts[row]!, starts[row]! + lengths[row]!))
      )
      const expected = i % 7 === 3 ? [] : Array.from({ length: i % 5 }, (_, x) => x)
      assert.deepEqual(small, expected)
      assert.deepEqual(
        large,
        expected.map((x) => x * i)
      )
      seen++
    }
  }
  assert.equal(seen, rows)
})

test('a statement that fails says so', async () => {
  const engine = await sharedEngine()
  const read = async (): Promise<void> => {
    for await (const _ of engine.lists('SELECT 1::DOUBLE, nothing FROM nowhere')) assert.fail()
  }
  await assert.rejects(read, { code: 'E_SQL', message: /nowhere/ })
})
