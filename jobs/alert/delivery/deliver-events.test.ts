import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import { openMemoryStore } from '../memory-store.ts'
import type { Answer } from '../receiver.ts'
import { sampleFinding } from '../sample.ts'
import type { AlertStore } from '../store.ts'
import { PROBE_ATTEMPTS } from './deliver-events.ts'
import { readLane } from './lane-state.ts'
import {
  KEY,
  OK,
  drainAll,
  find,
  idsOf,
  many,
  openTrial,
  receive,
  seeded,
  stop,
  webhook
} from './trial.ts'

describe('telling events', () => {
  test('signs what it sends after Standard Webhooks, with the id of the notice', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    await drainAll(trial)
    const [request] = receiver.received
    assert.ok(request)
    const {
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature
    } = request.headers
    const signed = createHmac('sha256', KEY).update(
      `${String(id)}.${String(timestamp)}.${request.body}`
    )
    assert.equal(signature, `v1,${signed.digest('base64')}`)
    assert.equal(Number(timestamp), trial.clock.nowMs / 1000)
    assert.equal(id, (await trial.store.notices(0, 1))[0]?.id)
    const { type, data } = JSON.parse(request.body)
    assert.equal(type, 'incident.opened')
    assert.deepEqual(data.finding, sampleFinding())
    assert.equal(data.links.runbook, 'https://tally.example/runbooks/cache-thrash')
  })

  test('says so while a channel is being told, and not when it has failed', async (t) => {
    const seen: boolean[] = []
    const receiver = await receive(t, () => {
      seen.push(trial.job.isTelling())
      return { status: 500 }
    })
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    assert.equal(trial.job.isTelling(), false)
    await trial.job.drain(stop())
    assert.deepEqual([seen, trial.job.isTelling()], [[true], false])
  })

  test('loses and repeats nothing under 500s, time-outs, 429s and cut connections', async (t) => {
    for (const seed of [1, 2, 3]) {
      const random = seeded(seed)
      const answers: Answer[] = [
        OK,
        OK,
        { status: 500 },
        { status: 503, headers: { 'retry-after': '2' } },
        { status: 429 },
        'cut',
        { status: 408 }
      ]
      const receiver = await receive(t, () => answers[Math.floor(random() * answers.length)] ?? OK)
      const trial = await openTrial(webhook('hook', receiver))
      await find(trial.store, ...many(30))
      await trial.job.poke()
      await drainAll(trial)
      const expected = (await trial.store.notices(0, 100)).map(({ id }) => id)
      assert.equal(expected.length, 30)
      assert.deepEqual(
        [...new Set(idsOf(receiver))],
        expected,
        `seed ${seed}: each once by its id, in order`
      )
    }
  })

  test('tells nothing twice after a kill between sending and keeping the place', async (t) => {
    const receiver = await receive(t, () => OK)
    const store = openMemoryStore()
    await openTrial(webhook('hook', receiver), store)
    await find(store, ...many(5))
    // The place is never kept: as if we were killed each time right before.
    let kills = 0
    const forgetful: AlertStore = {
      ...store,
      commit: (build) =>
        store.commit((state) => {
          const commit = build(state)
          const keepsPlace =
            commit !== null && Object.keys(commit.state).some((key) => key === 'alert/channel/hook')
          if (keepsPlace && kills < 3) {
            kills++
            throw new Error('killed')
          }
          return commit
        })
    }
    for (let run = 0; run < 3; run++) {
      const trial = await openTrial(webhook('hook', receiver), forgetful)
      await trial.job.poke()
      await assert.rejects(trial.job.drain(stop()), /killed/)
    }
    await drainAll(await openTrial(webhook('hook', receiver), forgetful))
    assert.equal(receiver.taken().length, 20)
    assert.deepEqual(
      [...new Set(idsOf(receiver))],
      (await store.notices(0, 9)).map(({ id }) => id)
    )
    const bodies = new Set(receiver.taken().map(({ body }) => body))
    assert.equal(bodies.size, 5, 'a repeat has the same body')
  })

  test('parks what is refused, reports it, and goes on', async (t) => {
    const receiver = await receive(t, (index) =>
      index === 1 ? { status: 422, body: 'no such field' } : OK
    )
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, ...many(3))
    await trial.job.poke()
    await drainAll(trial)
    assert.equal(receiver.received.length, 3)
    assert.deepEqual(trial.reports, ['hook delivered 2', 'hook parked E_ALERT_REJECTED'])
    const lane = readLane(await trial.store.state(), 'hook')
    assert.equal(lane?.parkedTotal, 1)
    assert.match(lane?.parked[0]?.reason ?? '', /HTTP 422 no such field/)
  })

  test('parks a notice that alone makes the receiver fail, and only after many attempts', async (t) => {
    const isPoison = ({ body }: { body: string }): boolean => body.includes('"fingerprint":"f1"')
    const receiver = await receive(t, (_, request) => (isPoison(request) ? { status: 500 } : OK))
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, ...many(4))
    await trial.job.poke()
    const rounds = await drainAll(trial)
    assert.equal(rounds, PROBE_ATTEMPTS + 1)
    assert.equal(receiver.taken().length, 3, 'the others once each')
    assert.equal(readLane(await trial.store.state(), 'hook')?.parkedTotal, 1)
  })

  test('parks nothing while the receiver is down for everything', async (t) => {
    let isDown = true
    const receiver = await receive(t, () => (isDown ? { status: 500 } : OK))
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, ...many(4))
    await trial.job.poke()
    for (let round = 0; round < 3 * PROBE_ATTEMPTS; round++) await trial.job.drain(stop())
    isDown = false
    await drainAll(trial)
    assert.equal(new Set(idsOf(receiver)).size, 4)
    assert.equal(readLane(await trial.store.state(), 'hook')?.parkedTotal, 0)
  })

  test('does not tell what is withheld', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(webhook('hook', receiver))
    await find(trial.store, {}, { signal: 'billing-drift', fingerprint: 'drift' })
    await trial.job.poke()
    await drainAll(trial)
    assert.equal(receiver.received.length, 1)
    assert.equal((await trial.store.notices(0, 9)).length, 2)
  })

  test('a new channel hears what happens from then on, and after a restart goes on where it was', async (t) => {
    const [first, second] = [await receive(t, () => OK), await receive(t, () => OK)]
    const store = openMemoryStore()
    const before = await openTrial(webhook('first', first), store)
    await find(store, ...many(2))
    await before.job.poke()
    const after = await openTrial(webhook('first', first) + webhook('second', second), store)
    await find(store, { fingerprint: 'later' })
    await after.job.poke()
    await drainAll(after)
    assert.deepEqual([first.received.length, second.received.length], [3, 1])
  })
})
