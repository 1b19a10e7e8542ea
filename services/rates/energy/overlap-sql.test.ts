import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { overlapConcurrency, type RunningCall } from './overlap.ts'
import { overlapSql } from './overlap-sql.ts'

/** A small generator with a fixed seed (Park and Miller). */
const generator = (seed: number) => {
  let state = seed
  return (top: number): number => {
    state = (state * 48271) % 2147483647
    return state % top
  }
}

test('SQL and function find the same overlap, whatever the order of calls', async () => {
  const random = generator(7)
  const calls: RunningCall[] = Array.from({ length: 800 }, (_, index) => {
    const startMs = random(20_000)
    return {
      id: String(index),
      replica: `r${random(3)}`,
      startMs,
      endMs: startMs + random(5) * random(400)
    }
  })
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const found = async (rows: readonly RunningCall[]): Promise<Map<string, number>> => {
    const values = rows.map(
      (row) => `('${row.id}', '${row.replica}', ${row.startMs}, ${row.endMs})`
    )
    const reader = await connection.runAndReadAll(
      overlapSql({
        calls: `(VALUES ${values.join(', ')}) AS c(id, replica, first, last)`,
        key: 'id',
        replica: ['replica', "'model'"],
        startMs: 'first',
        endMs: 'last',
        originMs: 5000
      })
    )
    return new Map(
      reader.getRowObjectsJS().map((row) => [row['id'] as string, Number(row['overlap'])])
    )
  }
  const expected = overlapConcurrency(calls)
  const seen = await found(calls)
  const turned = await found(calls.toReversed())
  connection.closeSync()
  assert.equal(seen.size, calls.length)
  for (const [id, concurrency] of expected) {
    assert.ok(Math.abs((seen.get(id) ?? 0) - concurrency) < 1e-9, `${id}: ${seen.get(id)}`)
    assert.equal(turned.get(id), seen.get(id))
  }
})
