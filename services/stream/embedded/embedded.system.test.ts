import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { assertInOrder, readAll, record, valuesOf } from '../conformance/case.ts'
import type { EventLog } from '../log.ts'
import { EmbeddedLog } from './log.ts'

const TOPIC = 'usage'
const PARTITIONS = 3

const folder = mkdtempSync(join(tmpdir(), 'tallystream-system-'))
after(() => rmSync(folder, { recursive: true }))

/**
 * A process that appends without end, `callers` at a time, and prints each value once the log has
 * acknowledged it.
 */
const WRITER = `
  import { EmbeddedLog } from '${new URL('./log.ts', import.meta.url).href}'
  const [folder, name, callers] = process.argv.slice(1)
  const log = new EmbeddedLog(folder)
  const write = async (caller) => {
    for (let index = 0; ; index++) {
      const value = name + '.' + caller + '.' + index
      await log.append('${TOPIC}', [{ key: name + caller, value: Buffer.from(value) }])
      process.stdout.write(value + '\\n')
    }
  }
  await Promise.all(Array.from({ length: Number(callers) }, (_, caller) => write(caller)))
`

type Writer = { child: ChildProcess; acknowledged: string[] }

const startWriter = (path: string, name: string, callers: number): Writer => {
  const command = ['--import', 'tsx', '--input-type=module', '--eval', WRITER]
  const child = spawn(process.execPath, [...command, path, name, String(callers)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const acknowledged: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    acknowledged.push(line)
    child.emit('acknowledged')
  })
  return { child, acknowledged }
}

const killAfter = async ({ child, acknowledged }: Writer, count: number): Promise<void> => {
  while (acknowledged.length < count) await once(child, 'acknowledged')
  child.kill('SIGKILL')
  await once(child, 'close')
}

const readEverything = async (log: EventLog): Promise<string[]> => {
  const values: string[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const runs = await readAll(log, { topic: TOPIC, partition })
    const offsets = runs.flatMap((run) => [...run.offsets])
    assert.deepEqual(
      offsets,
      offsets.map((_, index) => index),
      'offsets have holes'
    )
    assert.deepEqual(
      runs.flatMap(({ faults }) => faults),
      []
    )
    values.push(...runs.flatMap(valuesOf).map(String))
  }
  return values
}

test('a writer killed at any moment loses nothing that it acknowledged', async () => {
  const path = join(folder, 'killed')
  const log = new EmbeddedLog(path)
  await log.ensureTopic(TOPIC, PARTITIONS)
  const acknowledged: string[] = []
  for (const [round, count] of [1, 40, 250].entries()) {
    const writer = startWriter(path, `round-${round}`, 8)
    await killAfter(writer, count)
    acknowledged.push(...writer.acknowledged)
    const values = await readEverything(log)
    const found = new Set(values)
    assert.equal(found.size, values.length, 'a record is there twice')
    assert.deepEqual(
      acknowledged.filter((value) => !found.has(value)),
      []
    )
    // What was under way may have arrived too: at most one record of each caller.
    assert.ok(values.length <= acknowledged.length + 8 * (round + 1))
  }
  await log.append(TOPIC, [record('key', 'goes on')])
  assert.ok((await readEverything(log)).includes('goes on'))
  await log.close()
})

test('two processes write and a third reads at the same time', async () => {
  const path = join(folder, 'together')
  const log = new EmbeddedLog(path)
  await log.ensureTopic(TOPIC, PARTITIONS)
  const writers = ['one', 'two'].map((name) => startWriter(path, name, 4))
  const seen: string[] = []
  const isEnough = (): boolean =>
    writers.every(({ acknowledged }) => acknowledged.length >= 60) && seen.length >= 120
  const follow = async (partition: number): Promise<void> => {
    for (let offset = 0; !isEnough();) {
      const run = await log.read(TOPIC, partition, offset, { bytesMax: 4096, waitMsMax: 50 })
      seen.push(...valuesOf(run).map(String))
      offset = run.next
    }
  }
  await Promise.all([0, 1, 2].map(follow))
  await Promise.all(writers.map((writer) => killAfter(writer, 0)))
  const values = await readEverything(log)
  assert.equal(new Set(values).size, values.length)
  const found = new Set(values)
  for (const value of [...seen, ...writers.flatMap(({ acknowledged }) => acknowledged)]) {
    assert.ok(found.has(value), value)
  }
  for (const name of ['one', 'two']) {
    for (let caller = 0; caller < 4; caller++) {
      assertInOrder(values, `${name}.${caller}`)
    }
  }
  await log.close()
})
