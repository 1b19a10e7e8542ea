import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { encodeEvent } from '../../schemas/avro/encode-event.ts'
import { flattenEvent } from '../../schemas/avro/flatten-event.ts'
import { openLanding } from './landing-site.ts'
import type { Run } from './run.ts'

const APPENDED_MS = Date.parse('2026-03-01T00:00:00Z')
const SOURCE = { topic: 'usage', incarnation: 'one' }

/** A run of one event of each tenant, from offset 0 of a partition. */
const runOf = (partition: number, ...tenants: string[]): Run => {
  const time = new Date(APPENDED_MS).toISOString()
  const values = tenants.map((tenant, offset) =>
    encodeEvent(flattenEvent({ id: `${partition}-${offset}`, time, tenant, kind: 'llm' }))
  )
  const bytes = new Uint8Array(Buffer.concat(values))
  const count = tenants.length
  const valueEnd = new Int32Array(count)
  values.forEach(({ length }, index) => (valueEnd[index] = (valueEnd[index - 1] ?? 0) + length))
  return {
    partition,
    first: 0,
    next: count,
    count,
    offsets: Float64Array.from(tenants, (_, offset) => offset),
    timesMs: new Float64Array(count).fill(APPENDED_MS),
    bytes,
    valueStart: Int32Array.from(tenants, (_, index) => valueEnd[index - 1] ?? 0),
    valueEnd,
    faults: [],
    anchor: { offset: count - 1, crc32c: 1 }
  }
}

/** Hashes of the files of a table after one flush. */
const hashesAfter = async (
  t: TestContext,
  read: (landing: Awaited<ReturnType<typeof openLanding>>) => void
): Promise<string[]> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'tally-landing-'))
  t.after(() => rm(dir, { recursive: true }))
  const landing = await openLanding({ dir, crashAt: null })
  t.after(() => landing.close())
  read(landing)
  await landing.flush()
  const hashes: string[] = []
  for (const table of ['events_raw', 'windows_raw']) {
    const names = await readdir(path.join(dir, table))
    for (const name of names.filter((one) => one.endsWith('.parquet'))) {
      const bytes = await readFile(path.join(dir, table, name))
      hashes.push(`${table} ${createHash('sha256').update(bytes).digest('hex')}`)
    }
  }
  return hashes
}

describe('a partition that another consumer landed', () => {
  test('leaves no trace in the files of the others: their bytes are those of a replay', async (t) => {
    const replayed = await hashesAfter(t, (landing) => {
      landing.add(runOf(1, 'kept'), SOURCE)
    })
    const landed = await hashesAfter(t, (landing) => {
      landing.add(runOf(0, 'left-out'), SOURCE)
      landing.add(runOf(1, 'kept'), SOURCE)
      landing.drop(0)
    })
    assert.equal(replayed.length, 2)
    assert.deepEqual(landed, replayed)
  })
  test('leaves none either when it brought more tenants than are looked up', async (t) => {
    const kept = ['b', 'a', 'b', 'c', 'a', 'b']
    const many = Array.from({ length: 40_000 }, (_, n) => `left-out-${n}`)
    const replayed = await hashesAfter(t, (landing) => {
      landing.add(runOf(1, ...kept), SOURCE)
    })
    const landed = await hashesAfter(t, (landing) => {
      landing.add(runOf(0, ...many), SOURCE)
      landing.add(runOf(1, ...kept), SOURCE)
      landing.drop(0)
    })
    assert.deepEqual(landed, replayed)
  })
})
