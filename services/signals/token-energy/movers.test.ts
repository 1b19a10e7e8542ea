import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  drawEnergyTenants,
  playEnergy,
  type EnergyMove,
  type EnergyTenant
} from '../../../infra/worlds/energy.ts'
import { createColumns } from '../../../infra/worlds/grain-rows.ts'
import type { Draft } from '../define.ts'
import { CAUSE_OF, MOVERS } from './cause.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const DAYS = 11
/** After the week in which hours of the day are learned, and in the middle of a day. */
const CHANGE_MINUTE = 9 * 1440 + 600
const SEED = 5

/**
 * Two of twelve, with daily waves of batches and traffic, caches that wander and lengths that drift:
 * the hours of one looked like a collapse of its batches, the lengths of the other like a larger mix.
 */
const TENANTS = drawEnergyTenants(400, SEED)
  .filter(({ callsPerMinute }) => callsPerMinute > 0.5 && callsPerMinute < 20)
  .map((tenant, index) => ({ tenant, seed: 100 + index }))
  .filter(({ tenant }) => ['t12', 't15'].includes(tenant.name))

/** Findings from the real fold, of calls that carry joules of their own. */
const play = (tenant: EnergyTenant, moves: readonly EnergyMove[], seed: number): Draft[] => {
  const fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  const drafts: Draft[] = []
  const change = { moves, minute: CHANGE_MINUTE }
  const run = { tenant, days: DAYS, change, seed, isRecorded: true }
  playEnergy(run, (minute, rows) => {
    const traces = columns(rows)
    drafts.push(...fold.fold({ startMs: START_MS + minute * 60_000, grains: { traces } }))
  })
  return drafts.filter(({ status }) => status === 'firing')
}

const causesOf = (moves: readonly EnergyMove[]): string[][] =>
  TENANTS.map(({ tenant, seed }) =>
    play(tenant, moves, seed).map(({ after }) => String(after['cause']))
  )

/** What nobody moved is never named; `unknown` names nothing. */
const namesNoOther = (moves: readonly EnergyMove[], found: readonly string[][]): void => {
  const moved = MOVERS.filter((one) => moves.includes(one)).map((one) => CAUSE_OF[one])
  const wrong = found.flat().filter((cause) => cause !== 'unknown' && !moved.includes(cause))
  assert.deepEqual(wrong, [], `${moves.join(' and ') || 'nothing'} moved`)
}

describe('which of the three moved it, in tenants with a day', { timeout: 600_000 }, () => {
  test('longer outputs on the larger model alone are more work, and move no call', () => {
    assert.deepEqual(causesOf(['large-outputs']).flat(), [])
  })

  test('a lost cache is not taken for the batches of another hour', () => {
    namesNoOther(['cache'], causesOf(['cache']))
  })

  test('tier and batch are both told, each for itself', () => {
    const found = causesOf(['tier', 'batch'])
    namesNoOther(['tier', 'batch'], found)
    for (const causes of found) {
      assert.ok(causes.includes('tier-shift') && causes.includes('batch-collapse'), causes.join())
    }
  })
})
