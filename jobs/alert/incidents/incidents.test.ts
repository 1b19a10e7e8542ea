import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Finding } from '../../../schemas/finding.ts'
import type { IncidentAction, Notice } from '../../../schemas/incidents.ts'
import { sampleFinding } from '../sample.ts'
import { foldIncidents, type Entry, type FoldInput } from './fold.ts'
import { EMPTY_FOLD, FoldState } from './incident.ts'
import { INHIBITIONS } from './inhibition.ts'

const START_MS = Date.parse('2026-01-01T00:00:00Z')
const MINUTE_MS = 60_000
const SETTINGS = { budgetPerTenantDay: 20, inhibitions: INHIBITIONS }
const at = (minute: number): string => new Date(START_MS + minute * MINUTE_MS).toISOString()

/** A fold with a clock that follows the findings, as in live use. */
const story = (settings = SETTINGS) => {
  let state = EMPTY_FOLD
  const notices: Notice[] = []
  const findings: Finding[] = []
  const step = (entries: Entry[], minute: number, watermark = minute): Notice[] => {
    const input: FoldInput = {
      entries,
      caughtUp: true,
      watermarkMs: START_MS + watermark * MINUTE_MS,
      clockMs: START_MS + minute * MINUTE_MS,
      generation: 'test'
    }
    const output = foldIncidents(
      FoldState.parse(JSON.parse(JSON.stringify(state))),
      input,
      settings
    )
    state = output.state
    notices.push(...output.notices)
    findings.push(...output.findings)
    return output.notices
  }
  const find = (minute: number, changes: Partial<Finding> = {}): Notice[] =>
    step(
      [
        {
          sequence: state.through + 1,
          finding: sampleFinding({ detected_at: at(minute), ...changes })
        }
      ],
      minute
    )
  const act = (minute: number, changes: Partial<IncidentAction>): Notice[] => {
    const action: IncidentAction = {
      at: at(minute),
      by: 'ada',
      note: '',
      action: 'mute',
      fingerprint: null,
      tenant: null,
      signal: null,
      until: null,
      ...changes
    }
    return step([{ sequence: state.through + 1, action }], minute)
  }
  const pass = (minute: number, watermark = minute): Notice[] => step([], minute, watermark)
  return { find, act, pass, notices, findings, state: () => state, step }
}

const told = (notices: readonly Notice[]): string[] =>
  notices.map(({ kind, withheld }) => (withheld === null ? kind : `${kind}:${withheld}`))

describe('the life of an incident', () => {
  test('opens at the first finding, says nothing at a repeat, resolves when told so', () => {
    const { find, state } = story()
    assert.deepEqual(told(find(0)), ['opened'])
    assert.deepEqual(told(find(5)), [])
    assert.deepEqual(told(find(30, { status: 'resolved' })), ['resolved'])
    assert.equal(state().incidents[0]?.status, 'resolved')
  })

  test('tells an update once an hour, and a change of severity at once', () => {
    const { find } = story()
    find(0)
    assert.deepEqual(told(find(59)), [])
    assert.deepEqual(told(find(60)), ['updated'])
    assert.deepEqual(told(find(61, { severity: 'critical' })), ['updated'])
  })

  test('stays quiet once acknowledged until it gets worse', () => {
    const { find, act } = story()
    const { fingerprint } = sampleFinding()
    find(0)
    assert.deepEqual(told(act(1, { action: 'acknowledge', fingerprint })), ['acknowledged'])
    assert.deepEqual(told(find(120)), [])
    assert.deepEqual(told(find(121, { severity: 'critical' })), ['updated'])
    assert.deepEqual(told(act(122, { action: 'acknowledge', fingerprint: 'another' })), [])
  })

  test('reopens within a day as the same incident and later as a new one', () => {
    const { find, state } = story()
    find(0)
    find(10, { status: 'resolved' })
    assert.deepEqual(told(find(10 + 24 * 60)), ['reopened'])
    assert.equal(state().incidents[0]?.episode, 2)
    find(2000, { status: 'resolved' })
    assert.deepEqual(told(find(2000 + 24 * 60 + 1)), ['opened'])
    assert.equal(state().incidents[0]?.episode, 1)
  })

  test('counts a resolve of what is not open and tells nobody', () => {
    const { find, state } = story()
    assert.deepEqual(find(0, { status: 'resolved' }), [])
    assert.equal(state().strays, 1)
  })

  test('resolves an incident that flaps only after an hour of quiet', () => {
    const { find, pass, state } = story()
    for (const minute of [0, 20]) {
      find(minute)
      assert.deepEqual(told(find(minute + 10, { status: 'resolved' })), ['resolved'])
    }
    assert.deepEqual(told(find(40)), ['reopened'])
    assert.deepEqual(told(find(50, { status: 'resolved' })), [])
    assert.deepEqual(told(find(55)), [], 'it fires again while the resolve is held')
    assert.deepEqual(told(find(56, { status: 'resolved' })), [])
    assert.deepEqual(told(pass(115)), [])
    assert.deepEqual(told(pass(300, 115)), [], 'only the data can say that it was quiet')
    assert.deepEqual(told(pass(116)), ['resolved'])
    assert.equal(state().incidents[0]?.status, 'resolved')
  })

  test('forgets resolved incidents, so that the state does not grow', () => {
    const { find, pass, state } = story()
    find(0)
    find(1, { status: 'resolved' })
    pass(24 * 60)
    assert.equal(state().incidents.length, 1)
    pass(24 * 60 + 2)
    assert.deepEqual(state().incidents, [])
    assert.deepEqual(state().announcedClockMs, {})
  })
})

describe('silence', () => {
  const noData = { signal: 'no-data', fingerprint: 'no-data/tenant-b', scope: {} }

  test('never resolves an incident: the resolve waits until data is back', () => {
    const { find, pass } = story()
    find(0)
    assert.deepEqual(told(find(60, noData)), ['opened'])
    assert.deepEqual(told(find(61, { status: 'resolved' })), [])
    assert.deepEqual(told(pass(600)), [])
    assert.deepEqual(told(find(601, { ...noData, status: 'resolved' })), ['resolved', 'resolved'])
  })

  test('of one tenant or signal holds nobody else', () => {
    const { find } = story()
    find(0)
    find(1, { ...noData, fingerprint: 'no-data/other', tenant: 'tenant-z' })
    find(2, { ...noData, fingerprint: 'no-data/b/latency', scope: { signal: 'latency' } })
    assert.deepEqual(told(find(3, { status: 'resolved' })), ['resolved'])
  })

  test('of everybody holds every tenant', () => {
    const { find } = story()
    find(0)
    find(1, { ...noData, fingerprint: 'no-data', tenant: null })
    assert.deepEqual(told(find(2, { status: 'resolved' })), [])
  })
})

describe('inhibition', () => {
  const drift = { signal: 'billing-drift', fingerprint: 'billing-drift/b', tenant: 'tenant-b' }

  test('a cache collapse explains the drift of the bills of all its victims', () => {
    const { find } = story()
    find(0)
    assert.deepEqual(told(find(5, drift)), ['opened:inhibited'])
    const victim = { ...drift, fingerprint: 'billing-drift/c', tenant: 'tenant-c' }
    assert.deepEqual(told(find(6, victim)), ['opened:inhibited'])
    const stranger = { ...drift, fingerprint: 'billing-drift/z', tenant: 'tenant-z' }
    assert.deepEqual(told(find(7, stranger)), ['opened'])
  })

  test('ends with its cause: what is still open is told then', () => {
    const { find } = story()
    find(0)
    find(5, drift)
    assert.deepEqual(told(find(9, { status: 'resolved' })), ['resolved', 'opened'])
    assert.deepEqual(told(find(12, { ...drift, status: 'resolved' })), ['resolved'])
  })

  test('an effect that ends before its cause was never told, nor is its end', () => {
    const { find } = story()
    find(0)
    find(5, drift)
    assert.deepEqual(told(find(7, { ...drift, status: 'resolved' })), ['resolved:inhibited'])
  })

  test('does not depend on the order of findings of one minute', () => {
    const { step } = story()
    const minute = { detected_at: at(3) }
    const notices = step(
      [
        { sequence: 1, finding: sampleFinding({ ...drift, ...minute }) },
        { sequence: 2, finding: sampleFinding(minute) }
      ],
      3
    )
    assert.deepEqual(told(notices), ['opened', 'opened:inhibited'])
  })
})

describe('mutes', () => {
  test('withhold what opens, for as long as they last', () => {
    const { find, act, pass } = story()
    act(0, { tenant: 'tenant-b', until: at(60) })
    assert.deepEqual(told(find(5)), ['opened:muted'])
    assert.deepEqual(told(pass(59)), [])
    assert.deepEqual(told(pass(60)), ['opened'])
  })

  test('let a resolve pass when the opening was told', () => {
    const { find, act } = story()
    find(0)
    act(1, { signal: 'cache-thrash' })
    assert.deepEqual(told(find(2, { severity: 'critical' })), ['updated:muted'])
    assert.deepEqual(told(find(3, { status: 'resolved' })), ['resolved'])
  })

  test('end early by an unmute of the same target', () => {
    const { find, act } = story()
    act(0, { signal: 'cache-thrash' })
    find(1)
    assert.deepEqual(told(act(2, { action: 'unmute', tenant: 'tenant-b' })), [])
    assert.deepEqual(told(act(3, { action: 'unmute', signal: 'cache-thrash' })), ['opened'])
  })
})

describe('the alert budget', () => {
  const nth = (index: number): Partial<Finding> => ({ fingerprint: `cache-thrash/${index}` })
  const tight = { ...SETTINGS, budgetPerTenantDay: 3 }

  test('withholds what is beyond it, says so once, and lets critical ones pass', () => {
    const { find, findings, step, state } = story(tight)
    for (const index of [1, 2, 3]) assert.deepEqual(told(find(index, nth(index))), ['opened'])
    assert.deepEqual(told(find(4, nth(4))), ['opened:budget'])
    assert.equal(findings.length, 1)
    const [budget] = findings
    assert.ok(budget)
    assert.deepEqual([budget.signal, budget.status], ['alert-budget', 'firing'])
    assert.deepEqual(told(step([{ sequence: 5, finding: budget }], 4)), ['opened'])
    assert.deepEqual(told(find(5, nth(5))), ['opened:budget'])
    assert.equal(findings.length, 1)
    assert.deepEqual(told(find(6, { ...nth(6), severity: 'critical' })), ['opened'])
    assert.deepEqual(told(find(7, { ...nth(7), tenant: 'tenant-z' })), ['opened'])
    assert.equal(state().incidents.filter(({ withheld }) => withheld === 'budget').length, 2)
  })

  test('has room again after a day: what is still open is told', () => {
    const { find, pass, findings } = story(tight)
    for (const index of [1, 2, 3, 4]) find(index, nth(index))
    assert.deepEqual(told(pass(24 * 60)), [])
    assert.deepEqual(told(pass(24 * 60 + 1)), ['opened'])
    assert.equal(findings.length > 0, true)
  })
})
