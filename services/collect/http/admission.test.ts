import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Failure } from '../../../schemas/failure.ts'
import type { EventLog } from '../../stream/log.ts'
import { startCollector } from '../start.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const JSON_TYPE = { 'content-type': 'application/json' }

const event = (id: string, more: object = {}): Record<string, unknown> => ({
  id,
  time: '2026-11-24T10:00:00Z',
  tenant: 'acme',
  kind: 'llm',
  ...more
})

describe('under pressure', { timeout: 60_000 }, () => {
  /** A log whose appends wait until they are let go or fail. */
  const gatedLog = () => {
    const waiting: { resolve: () => void; reject: (error: Failure) => void }[] = []
    const log = {
      ensureTopic: async () => true,
      partitions: async () => [],
      append: () =>
        new Promise<void>((resolve, reject) => {
          waiting.push({ resolve, reject })
        })
    } as unknown as EventLog
    return { log, waiting }
  }
  const start = async (context: TestContext, log: EventLog) => {
    const collector = await startCollector({
      log,
      host: '127.0.0.1',
      port: 0,
      keyFile: null,
      settings: { inFlightEventsMax: 3, inFlightBytesMax: 2000 },
      now: () => NOW
    })
    // Closing twice is closing once; a test that fails half-way leaves no server behind.
    context.after(() => collector.close())
    return collector
  }
  const send = (url: string, body: string) =>
    fetch(`${url}/v1/events`, { method: 'POST', body, headers: JSON_TYPE })
  const until = async (isDone: () => boolean): Promise<void> => {
    while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  test('answers 429 with Retry-After when too many events or bytes are in flight', async (context) => {
    const { log, waiting } = gatedLog()
    const collector = await start(context, log)
    const first = send(collector.url, JSON.stringify([event('1'), event('2')]))
    await until(() => waiting.length === 1)
    const refused = await send(collector.url, JSON.stringify([event('3'), event('4')]))
    assert.equal(refused.status, 429)
    assert.equal(refused.headers.get('retry-after'), '1')
    const huge = JSON.stringify(
      event('5', { name: 'x'.repeat(1000), tags: { a: 'y'.repeat(1000) } })
    )
    assert.equal((await send(collector.url, huge)).status, 429)
    waiting[0]?.resolve()
    assert.equal((await first).status, 200)
    const second = send(collector.url, JSON.stringify([event('3'), event('4')]))
    await until(() => waiting.length === 2)
    waiting[1]?.resolve()
    assert.equal((await second).status, 200)
  })

  test('answers 503 when the log can not be reached, and 200 never before it has the events', async (context) => {
    const { log, waiting } = gatedLog()
    const collector = await start(context, log)
    let isAnswered = false
    const pending = send(collector.url, JSON.stringify(event('1'))).then((response) => {
      isAnswered = true
      return response
    })
    await until(() => waiting.length === 1)
    assert.equal((await fetch(`${collector.url}/healthz`)).status, 200)
    assert.equal(isAnswered, false)
    waiting[0]?.reject(new Failure('E_LOG_UNAVAILABLE', 'no broker', { retriable: true }))
    const response = await pending
    assert.equal(response.status, 503)
    assert.equal(response.headers.get('retry-after'), '1')
  })

  test('drains: finishes what is under way, takes nothing new, then closes', async (context) => {
    const { log, waiting } = gatedLog()
    const collector = await start(context, log)
    const under = send(collector.url, JSON.stringify(event('1')))
    await until(() => waiting.length === 1)
    let isClosed = false
    const closed = collector.close().then(() => (isClosed = true))
    await assert.rejects(async () => {
      for (;;) {
        const { status } = await send(collector.url, JSON.stringify(event('2')))
        assert.equal(status, 503)
      }
    }, /fetch failed/)
    assert.equal(isClosed, false)
    waiting[0]?.resolve()
    assert.equal((await under).status, 200)
    await closed
  })
})
