import signal from '../../services/signals/refusal-latency/signal.ts'
import { createColumns } from '../worlds/grain-rows.ts'
import { drawGuardedTenants, playRefusals, type GuardedChange } from '../worlds/refusals.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World } from './world.ts'

/** Stages whose time follows the load, and one that gets slower; rules see the mean request. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const TENANTS = drawGuardedTenants(400, 11)

type What = Omit<GuardedChange, 'minute'>

const names =
  (stage: string) =>
  ({ contributors }: { contributors: readonly { what?: unknown }[] }) =>
    contributors[0]?.what === stage

const WORLD: World<What> = {
  name: 'Guarded requests',
  signal,
  limits: { side: 'high', fixed: null, fifteen: 1.5, sixty: 1.5, what: 'latency' },
  startMs: START_MS,
  warmDays: 3,
  changes: [
    {
      name: 'input guardrail × 15',
      what: { stage: 'input-guard', factor: 15 },
      isRight: names('input-guard')
    },
    { name: 'model × 2.5', what: { stage: 'model', factor: 2.5 }, isRight: names('model') },
    {
      name: 'output guardrail × 10',
      what: { stage: 'output-guard', factor: 10 },
      isRight: names('output-guard')
    }
  ],
  play: ({ index, days, change, seed }, visit) => {
    const columns = createColumns(signal.inputs.traces!)
    const run = {
      tenant: TENANTS[index]!,
      startMs: START_MS,
      days,
      change: change === null ? null : { minute: change.minute, ...change.what },
      seed
    }
    playRefusals(run, (startMs, rows, meanMs) =>
      visit(
        { startMs, grains: rows.length === 0 ? {} : { traces: columns(rows) } },
        meanMs === null
          ? null
          : () => ({ value: meanMs, n: new Set(rows.map((row) => row['trace'])).size })
      )
    )
  }
}

export const scoreRefusalLatency = (size: ScoreSize): Generator<string, ScoreRow> =>
  scoreWorld(WORLD, size)
