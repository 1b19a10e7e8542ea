import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { INCIDENT_SEQUENCE_KEY, nextSequence } from '../../../schemas/incidents.ts'
import type { Receiver } from '../receiver.ts'
import { readLane } from './lane-state.ts'
import { OK, alertmanager, drainAll, find, many, openTrial, receive, stop } from './trial.ts'

describe('telling states', () => {
  const alertsOf = (receiver: Receiver, index: number) =>
    JSON.parse(receiver.received[index]?.body ?? '[]') as {
      labels: Record<string, string>
      annotations: Record<string, string>
      startsAt: string
      endsAt: string
      generatorURL: string
    }[]

  test('keeps identity and change apart: labels stay, figures move', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    await drainAll(trial)
    await find(trial.store, { summary: 'Worse.', after: { hit_rate_pct: 3 } })
    await trial.job.poke()
    await drainAll(trial)
    const [before, after] = [alertsOf(receiver, 0)[0], alertsOf(receiver, 1)[0]]
    assert.ok(before && after)
    assert.deepEqual(before.labels, {
      alertname: 'TallyCacheThrash',
      signal: 'cache-thrash',
      fingerprint: 'cache-thrash/tenant-b/sample-model',
      tenant: 'tenant-b',
      severity: 'warning'
    })
    assert.deepEqual(after.labels, before.labels)
    assert.equal(after.annotations['summary'], 'Worse.')
    assert.match(after.annotations['description'] ?? '', /hit_rate_pct 3\./)
    assert.equal(before.annotations['runbook_url'], 'https://tally.example/runbooks/cache-thrash')
    assert.match(before.generatorURL, /^https:\/\/tally\.example\/incidents\/cache-thrash%2F/)
    assert.equal(before.startsAt, '2026-01-01T08:00:00.000Z')
    assert.equal(receiver.received[0]?.path, '/api/v2/alerts')
  })

  test('repeats what fires for as long as it does and what is resolved for five minutes', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    for (let round = 0; round < 3; round++) {
      await drainAll(trial)
      trial.clock.nowMs += 60_000
    }
    assert.equal(receiver.received.length, 3)
    const ends = [0, 1, 2].map((index) => Date.parse(alertsOf(receiver, index)[0]?.endsAt ?? ''))
    assert.ok(
      ends.every((endMs) => endMs >= trial.clock.nowMs + 23 * 3_600_000),
      'our silence resolves nothing'
    )
    await find(trial.store, { status: 'resolved' })
    await trial.job.poke()
    const resolvedMs = trial.clock.nowMs
    for (; trial.clock.nowMs <= resolvedMs + 400_000; trial.clock.nowMs += 60_000)
      await drainAll(trial)
    const resolved = receiver.received
      .slice(3)
      .map((_, index) => alertsOf(receiver, index + 3)[0]?.endsAt)
    assert.deepEqual(resolved, Array(6).fill(new Date(resolvedMs).toISOString()))
  })

  test('tells a resolve that the receiver slept through, however late', async (t) => {
    let isDown = false
    const receiver = await receive(t, () => (isDown ? { status: 503 } : OK))
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    await drainAll(trial)
    isDown = true
    await find(trial.store, { status: 'resolved' })
    await trial.job.poke()
    await trial.job.drain(stop())
    trial.clock.nowMs += 6 * 3_600_000
    isDown = false
    await drainAll(trial)
    const last = alertsOf(receiver, receiver.received.length - 1)[0]
    assert.ok(last && Date.parse(last.endsAt) <= trial.clock.nowMs - 5 * 3_600_000)
  })

  test('never tells an old change as news: after a kill it tells how things stand', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, {}, { status: 'resolved', detected_at: '2026-01-01T08:30:00.000Z' })
    await trial.job.poke()
    await drainAll(trial)
    for (const { body } of receiver.received) {
      const [alert] = JSON.parse(body) as { endsAt: string }[]
      assert.ok(alert && Date.parse(alert.endsAt) <= trial.clock.nowMs)
    }
  })

  test('ends the alert of a severity that an incident no longer has', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    await drainAll(trial)
    await find(trial.store, { severity: 'critical' })
    await trial.job.poke()
    await drainAll(trial)
    const standing = alertsOf(receiver, 1).map(({ labels, endsAt }) => [
      labels['severity'],
      Date.parse(endsAt) > trial.clock.nowMs
    ])
    assert.deepEqual(standing, [
      ['critical', true],
      ['warning', false]
    ])
  })

  test('isolates an incident that the receiver refuses', async (t) => {
    const receiver = await receive(t, (_, { body }) =>
      body.includes('"f1"') ? { status: 400 } : OK
    )
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, ...many(3))
    await trial.job.poke()
    await drainAll(trial)
    assert.equal(receiver.taken().length, 2)
    assert.deepEqual(trial.reports, ['am delivered 2', 'am parked E_ALERT_REJECTED'])
    await drainAll(trial)
    assert.equal(
      readLane(await trial.store.state(), 'am')?.parkedTotal,
      1,
      'parked once, however often it is repeated'
    )
  })

  test('hides what is muted from its opening on, and still ends what was told before', async (t) => {
    const receiver = await receive(t, () => OK)
    const trial = await openTrial(alertmanager('am', receiver))
    await find(trial.store, {})
    await trial.job.poke()
    await trial.store.commit((state) => ({
      state: { [INCIDENT_SEQUENCE_KEY]: nextSequence(state) + 1 },
      actions: [
        {
          sequence: nextSequence(state),
          at: '2026-01-01T09:00:00.000Z',
          by: 'ada',
          note: '',
          action: 'mute',
          fingerprint: null,
          tenant: 'tenant-b',
          signal: null,
          until: null
        }
      ]
    }))
    await find(trial.store, { fingerprint: 'muted' }, { status: 'resolved' })
    await trial.job.poke()
    await drainAll(trial)
    assert.deepEqual(
      alertsOf(receiver, 0).map(({ labels }) => labels['fingerprint']),
      ['cache-thrash/tenant-b/sample-model']
    )
  })
})
