import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { skipKafka, startBroker } from '../../../infra/kafka/broker.ts'
import { STOP_MS_MAX } from './parts.ts'
import { eventAt, killAll, post, ready, run, startUp } from './child.ts'

/** Schedulers kill a process so long after they asked it to end. */
const SCHEDULER_MS = 30_000

describe('tally up whose broker hangs', { skip: skipKafka(process.env) }, () => {
  after(killAll)

  test('ends before a scheduler would kill it, and loses nothing', async (t) => {
    const broker = await startBroker()
    t.after(broker.stop)
    const data = await mkdtemp(path.join(tmpdir(), 'tally-stop-'))
    t.after(() => rm(data, { recursive: true }))
    const up = await startUp(data, '--brokers', broker.brokers)
    await ready(up)
    assert.equal(await post(up, [eventAt('before')]), 1)
    await broker.freeze()
    const askedMs = performance.now()
    up.child.kill('SIGTERM')
    await up.ended
    const tookMs = performance.now() - askedMs
    await broker.thaw()
    assert.ok(tookMs < SCHEDULER_MS, `${tookMs} ms, of ${STOP_MS_MAX} for its parts`)

    const again = await startUp(data, '--brokers', broker.brokers)
    await ready(again)
    again.child.kill('SIGTERM')
    assert.deepEqual(await again.ended, { code: 0, signal: null }, again.messages())
    const { out } = await run('sql', 'SELECT id FROM events', '--data', data, '--json')
    assert.deepEqual(out.trim().split('\n'), ['{"id":"before"}'])
  })
})
