import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../../schemas/failure.ts'
import { openMemoryStore } from '../memory-store.ts'
import type { AlertStore } from '../store.ts'
import { backoffMs } from './backoff.ts'
import { readLane } from './lane-state.ts'
import { readRetryAfter } from './post.ts'
import { OK, find, idsOf, many, openTrial, receive, stop, webhook } from './trial.ts'

describe('lanes', () => {
  test('a dead and a hanging receiver delay nobody else', async (t) => {
    const alive = await receive(t, () => OK)
    const hanging = await receive(t, () => 'hang')
    const dead = await receive(t, () => OK)
    await dead.close()
    const trial = await openTrial(
      webhook('alive', alive) + webhook('hanging', hanging) + webhook('dead', dead)
    )
    const ended = new AbortController()
    const running = trial.job.run(ended.signal)
    for (let index = 0; index < 30; index++) {
      await find(trial.store, { fingerprint: `f${index}`, tenant: `t${index}` })
      await trial.job.poke()
    }
    while (alive.taken().length < 30) await new Promise((resolve) => setImmediate(resolve))
    ended.abort()
    await running
    assert.equal(new Set(idsOf(alive)).size, 30)
    assert.ok(trial.reports.some((report) => report.startsWith('dead retried')))
  })

  test('a lake that fails ends the run, since the process must start anew', async (t) => {
    const receiver = await receive(t, () => OK)
    const store = openMemoryStore()
    const broken: AlertStore = { ...store, notices: () => Promise.reject(new Error('lake gone')) }
    const trial = await openTrial(webhook('hook', receiver), broken)
    await assert.rejects(trial.job.run(stop()), /lake gone/)
  })

  test('a lake that is full for a while makes nothing be told again', async (t) => {
    const receiver = await receive(t, () => OK)
    const store = openMemoryStore()
    let isFull = false
    let refused = 0
    const full: AlertStore = {
      ...store,
      commit: (build) => {
        if (!isFull) return store.commit(build)
        refused++
        return Promise.reject(new Failure('E_DISK_FULL', 'full', { retriable: true }))
      }
    }
    const trial = await openTrial(webhook('hook', receiver), full)
    await find(store, ...many(3))
    await trial.job.poke()
    isFull = true
    const ended = new AbortController()
    const running = trial.job.run(ended.signal)
    while (refused < 4) await new Promise((resolve) => setImmediate(resolve))
    isFull = false
    while (readLane(await store.state(), 'hook')?.delivered !== 3)
      await new Promise((resolve) => setImmediate(resolve))
    ended.abort()
    await running
    assert.equal(receiver.received.length, 3)
  })

  test('a secret file that is away for a moment loses no alert', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(`  - { name: slack, kind: slack, url_file: s }\n`)
    await find(trial.store, {})
    await trial.job.poke()
    const reports = await trial.job.drain(stop())
    assert.equal(reports.get('slack')?.kind, 'retry', 'the secret is no address')
    assert.equal(readLane(await trial.store.state(), 'slack')?.delivered, 0)
    assert.equal(receiver.received.length, 0)
  })
})

describe('waiting', () => {
  test('doubles from one second to five minutes, and leaves half to chance', () => {
    const low = Array.from({ length: 12 }, (_, index) => backoffMs(index + 1, null, () => 0))
    const high = Array.from({ length: 12 }, (_, index) => backoffMs(index + 1, null, () => 1))
    assert.deepEqual(low.slice(0, 4), [500, 1_000, 2_000, 4_000])
    assert.deepEqual(high.slice(0, 4), [1_000, 2_000, 4_000, 8_000])
    assert.equal(high.at(-1), 300_000)
    assert.equal(
      backoffMs(10_000, null, () => 1),
      300_000
    )
  })

  test('takes what the receiver asks for as the least, up to an hour', () => {
    assert.equal(
      backoffMs(1, 7_000, () => 0),
      7_000
    )
    assert.equal(
      backoffMs(12, 1_000, () => 0),
      150_000
    )
    assert.equal(
      backoffMs(1, 1e12, () => 0),
      3_600_000
    )
  })

  test('reads Retry-After in seconds and as a date', () => {
    const nowMs = Date.parse('2026-01-01T09:00:00Z')
    assert.equal(readRetryAfter('120', nowMs), 120_000)
    assert.equal(readRetryAfter('Thu, 01 Jan 2026 09:01:00 GMT', nowMs), 60_000)
    assert.equal(readRetryAfter('Thu, 01 Jan 2026 08:00:00 GMT', nowMs), 0)
    assert.equal(readRetryAfter('soon', nowMs), null)
    assert.equal(readRetryAfter(null, nowMs), null)
  })

  test('is as long as the receiver said', async (t) => {
    const receiver = await receive(t, (index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '90' } } : OK
    )
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    const ended = new AbortController()
    const running = trial.job.run(ended.signal)
    while (receiver.taken().length < 1) await new Promise((resolve) => setImmediate(resolve))
    ended.abort()
    await running
    assert.equal(trial.waits[0], 90_000)
  })
})
