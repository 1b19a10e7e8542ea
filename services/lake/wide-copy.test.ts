import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../schemas/failure.ts'
import { Engine } from './engine.ts'
import { copyRows } from './wide-copy.ts'

const COPY = 'CREATE TEMP TABLE copied AS FROM wide'

/** A database in which the copy fails with a message on as many threads or more. */
const failing = (message: string, fromThreads: number) => {
  const ran: string[] = []
  let threads = 2
  return {
    ran,
    run: (sql: string): Promise<void> => {
      ran.push(sql)
      const set = /^SET threads = (\d+)$/.exec(sql)?.[1]
      if (set !== undefined) threads = Number(set)
      else if (threads >= fromThreads) return Promise.reject(new Failure('E_SQL', message))
      return Promise.resolve()
    }
  }
}

/** What the engine says when memory is short; asked, so that another version cannot say it otherwise. */
const shortOfMemory = async (): Promise<string> => {
  const engine = await Engine.open({ memoryMaxMib: 16 })
  const sql = `CREATE TEMP TABLE t AS SELECT string_agg(repeat('x', 1000) || range) FROM range(100_000)`
  const failure: unknown = await engine.run(sql).catch((error: unknown) => error)
  engine.close()
  assert.ok(failure instanceof Failure)
  return failure.message
}

test('rows too wide for several threads are copied by one, and the next statement has all again', async () => {
  const { run, ran } = failing(await shortOfMemory(), 2)
  await copyRows(run, 2, COPY)
  assert.deepEqual(ran, [COPY, 'SET threads = 1', COPY, 'SET threads = 2'])
})

test('what one thread cannot hold, or fails for another reason, is said', async () => {
  const wide = failing(await shortOfMemory(), 1)
  await assert.rejects(copyRows(wide.run, 2, COPY), /Out of Memory/)
  assert.equal(wide.ran.at(-1), 'SET threads = 2')
  const wrong = failing('Catalog Error: no table wide', 2)
  await assert.rejects(copyRows(wrong.run, 2, COPY), /no table/)
  assert.deepEqual(wrong.ran, [COPY])
})
