import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { Engine } from './engine.ts'
import { quoted } from './parquet-writer.ts'
import { scratchFolder } from './scratch-lake.ts'

/** A consumer lands some hundred files an hour, and every engine that watches reads each of them. */
test('an engine keeps nothing in memory of the files that it has read', async (t) => {
  const folder = await scratchFolder(t)
  const engine = await Engine.open()
  for (let number = 0; number < 5; number++) {
    const file = quoted(path.join(folder, `${number}.parquet`))
    await engine.run(`COPY (SELECT range AS n FROM range(10_000)) TO ${file}`)
    await engine.rows(`SELECT sum(n) FROM read_parquet(${file})`)
  }
  assert.deepEqual(await engine.rows('FROM duckdb_memory() WHERE memory_usage_bytes > 0'), [])
  engine.close()
})
