import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createInterface } from 'node:readline'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import type { RecordRun } from '../stream/log.ts'

const MAIN = new URL('main.ts', import.meta.url).pathname

const startProcess = async (data: string): Promise<{ child: ChildProcess; url: string }> => {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    env: { ...process.env, TALLY_DATA: data, TALLY_PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore']
  })
  assert.ok(child.stdout)
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, url }
}

/** Ids of a run's events, found in the bytes of its records. */
const idsOf = (run: RecordRun): string[] =>
  Array.from({ length: run.count }, (_, index) => {
    const value = run.bytes.subarray(run.valueStart[index], run.valueEnd[index])
    return /id-\d+-\d+-\d+/.exec(Buffer.from(value).toString('latin1'))?.[0] ?? ''
  })

/** How often each event stands in the log. */
const countInLog = async (data: string): Promise<Map<string, number>> => {
  const log = new EmbeddedLog(join(data, 'log'))
  const counts = new Map<string, number>()
  for (const { partition, start, end } of await log.partitions(EVENTS_TOPIC)) {
    let offset = start
    while (offset < end) {
      const limits = { bytesMax: 4 * 1024 * 1024, waitMsMax: 0 }
      const run = await log.read(EVENTS_TOPIC, partition, offset, limits)
      for (const id of idsOf(run)) counts.set(id, (counts.get(id) ?? 0) + 1)
      offset = run.next
    }
  }
  await log.close()
  return counts
}

/** @returns whether the collector says that it has the events. */
const send = async (url: string, ids: readonly string[]): Promise<boolean> => {
  const events = ids.map((id) => ({
    id,
    time: new Date().toISOString(),
    tenant: 'acme',
    kind: 'llm',
    usage: { prompt_tokens: 1000, completion_tokens: 20 }
  }))
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(events)
  })
  await response.arrayBuffer()
  return response.status === 200
}

/** Sends batches until the collector is gone; keeps what was acknowledged. @returns the last one. */
const sendUntilGone = async (url: string, sender: number, acknowledged: Set<string>) => {
  for (let batch = 0; ; batch++) {
    const ids = Array.from({ length: 100 }, (_, index) => `id-${sender}-${batch}-${index}`)
    try {
      const taken = (await send(url, ids)) ? ids : []
      for (const id of taken) acknowledged.add(id)
    } catch {
      return ids
    }
  }
}

/** @returns what each sender has sent and not seen acknowledged. */
const load = (url: string, acknowledged: Set<string>, senders = 4): Promise<string[][]> =>
  Promise.all(
    Array.from({ length: senders }, (_, sender) => sendUntilGone(url, sender, acknowledged))
  )

describe('the collector as a process', { timeout: 120_000 }, () => {
  test('killed at full load, it has all that it acknowledged, once, and takes the rest again', async () => {
    const data = await mkdtemp(join(tmpdir(), 'collect-kill-'))
    const { child, url } = await startProcess(data)
    const acknowledged = new Set<string>()
    const loaded = load(url, acknowledged)
    while (acknowledged.size < 3000) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGKILL')
    const unanswered = await loaded
    const killed = await countInLog(data)
    const wrong = [...acknowledged].filter((id) => killed.get(id) !== 1)
    assert.deepEqual(wrong, [])
    assert.deepEqual(
      [...killed].filter(([, count]) => count > 1),
      []
    )
    const next = await startProcess(data)
    for (const ids of unanswered) assert.ok(await send(next.url, ids))
    next.child.kill('SIGTERM')
    await once(next.child, 'exit')
    const counts = await countInLog(data)
    const mayRepeat = new Set(unanswered.flat())
    for (const [id, count] of counts) {
      assert.equal(count, 1 + (mayRepeat.has(id) ? (killed.get(id) ?? 0) : 0), id)
    }
    assert.equal(counts.size, new Set([...acknowledged, ...mayRepeat]).size)
    await rm(data, { recursive: true })
  })

  test('drains at SIGTERM under load: exits 0, and every answer it gave was true', async () => {
    const data = await mkdtemp(join(tmpdir(), 'collect-term-'))
    const { child, url } = await startProcess(data)
    const acknowledged = new Set<string>()
    const loaded = load(url, acknowledged)
    while (acknowledged.size < 1000) await new Promise((resolve) => setTimeout(resolve, 5))
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await loaded
    assert.deepEqual(await exited, [0, null])
    const counts = await countInLog(data)
    assert.equal([...acknowledged].filter((id) => counts.get(id) !== 1).length, 0)
    await rm(data, { recursive: true })
  })
})
