import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ColumnData, Segment, TextHeap } from './columns.ts'
import { Engine } from './engine.ts'

let engine: Engine
before(async () => (engine = await Engine.open()))
after(() => engine.close())

/** More than two chunks of the engine, and no whole number of them. */
const ROWS = 5000

const bits = (rows: number, isValid: (row: number) => boolean): Uint8Array<ArrayBuffer> => {
  const valid = new Uint8Array(Math.ceil(rows / 64) * 8)
  for (let row = 0; row < rows; row++) if (isValid(row)) valid[row >> 3]! |= 1 << (row & 7)
  return valid
}

const texts = (words: readonly string[]): TextHeap => {
  const heap = Buffer.from(words.join(''))
  let end = 0
  const ends = Int32Array.from(words, (word) => (end += Buffer.byteLength(word)))
  return { heap, starts: Int32Array.from(ends, (_, row) => ends[row - 1] ?? 0), ends }
}

const wordOf = (row: number): string =>
  row % 2 === 0 ? `short ${row}` : `not so short: größer als ${row}`

/** Rows from `first` on, of every type that a column may have. */
const segmentOf = (first: number, rows: number): Segment => {
  const numbers = Array.from({ length: rows }, (_, row) => first + row)
  const valid = bits(rows, (row) => (first + row) % 3 !== 0)
  const halves = Int32Array.from(numbers.flatMap((number) => [number, 1]))
  const items = numbers.flatMap((number) => [wordOf(number), 'x'])
  const pairs = {
    firsts: Int32Array.from(numbers, (_, row) => row * 2),
    lengths: new Int32Array(rows).fill(2)
  }
  return {
    rows,
    columns: [
      { type: 'INTEGER', values: Int32Array.from(numbers), valid },
      { type: 'BIGINT', values: halves, valid: null },
      { type: 'DOUBLE', values: Float64Array.from(numbers, (number) => number / 2), valid },
      { type: 'BOOLEAN', values: Uint8Array.from(numbers, (number) => number % 2), valid },
      { type: 'VARCHAR', text: texts(numbers.map(wordOf)), valid },
      {
        type: 'ENUM',
        codes: Int32Array.from(numbers, (number) => number % 2),
        dictionary: { values: ['even', 'odd'], rank: Int32Array.from([0, 1]) },
        valid
      },
      { type: 'VARCHAR[]', ...pairs, items: texts(items), valid },
      {
        type: 'DOUBLE[]',
        ...pairs,
        items: Float64Array.from(numbers.flatMap((n) => [n, 0.5])),
        valid
      }
    ]
  }
}

const NAMES = ['i', 'wide', 'd', 'b', 't', 'e', 'words', 'numbers']
const segments = [segmentOf(0, ROWS), segmentOf(ROWS, 1), segmentOf(ROWS + 1, 3000)]
const columns = { names: NAMES, segments }

const expected = (row: number): Record<string, unknown> => {
  const or = <Value>(value: Value): Value | null => (row % 3 === 0 ? null : value)
  return {
    i: or(row),
    wide: 2n ** 32n + BigInt(row),
    d: or(row / 2),
    b: or(row % 2 === 1),
    t: or(wordOf(row)),
    e: or(row % 2 === 0 ? 'even' : 'odd'),
    words: or([wordOf(row), 'x']),
    numbers: or([row, 0.5]),
    row_key: BigInt(row)
  }
}

test('statements read held columns of every type, in their order and with their nulls', async () => {
  await engine.hold('held', columns)
  const rows = await engine.rows('FROM temp.held')
  assert.equal(rows.length, ROWS + 3001)
  rows.forEach((row, index) => assert.deepEqual(row, expected(index)))
})

test('a statement reads the columns that it asks for, in its own order, as often as it likes', async () => {
  await engine.hold('held', columns)
  const sql = `SELECT a.row_key, a.t, b.i FROM temp.held a JOIN temp.held b USING (row_key)
    WHERE a.e = 'odd' ORDER BY row_key DESC LIMIT 2`
  assert.deepEqual(
    await engine.rows(sql),
    [7999, 7997].map((row) => ({ row_key: BigInt(row), t: wordOf(row), i: row }))
  )
})

test('what is held later takes the place of what was held before', async () => {
  await engine.hold('held', columns)
  await engine.hold('held', { names: ['n'], segments: [segmentOf(7, 1)].map(firstColumn) })
  assert.deepEqual(await engine.rows('FROM temp.held'), [{ n: 7, row_key: 0n }])
})

const firstColumn = ({ rows, columns: [column] }: Segment): Segment => ({
  rows,
  columns: [column!]
})

test('columns that cannot be written fail the statement, not the process', async () => {
  const broken = { type: 'INTEGER', values: null, valid: null } as unknown as ColumnData
  await engine.hold('held', { names: ['n'], segments: [{ rows: 1, columns: [broken] }] })
  await assert.rejects(engine.rows('FROM temp.held'), { code: 'E_SQL' })
  await engine.hold('held', columns)
  assert.deepEqual(await engine.rows('SELECT count(*) AS n FROM temp.held'), [{ n: 8001n }])
})

test('segments that differ in their columns are not held', async () => {
  const one = firstColumn(segmentOf(0, 1))
  const others = [segmentOf(0, 1), { rows: 1, columns: [segmentOf(0, 1).columns[2]!] }]
  for (const other of others) {
    const columns = { names: ['n'], segments: [one, other] }
    await assert.rejects(engine.hold('held', columns), { code: 'E_INTERNAL' })
  }
  await assert.rejects(engine.hold('held', { names: ['n'], segments: [] }), { code: 'E_INTERNAL' })
})
