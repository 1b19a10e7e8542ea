import signal from '../../services/signals/blind-alerts/signal.ts'
import { drawFailureTenants, playFailures, type FailureChange } from '../worlds/failures.ts'
import { createColumns } from '../worlds/grain-rows.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World } from './world.ts'

/** Failures that come and go, and a part that fails for good; rules see the feature's error rate. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const TENANTS = drawFailureTenants(400, 11)

type What = Omit<FailureChange, 'minute'>

const WORLD: World<What> = {
  name: 'A feature and its parts',
  signal,
  limits: { side: 'high', fixed: 0.1, fifteen: 2, sixty: 2, what: 'failed share' },
  startMs: START_MS,
  warmDays: 4,
  changes: [
    {
      name: 'retrieval fails in 40 %',
      what: { kind: 'retrieval', share: 0.4 },
      isRight: ({ axis }) => axis === 'retrieval'
    },
    {
      name: 'tool fails in 15 %',
      what: { kind: 'tool', share: 0.15 },
      isRight: ({ axis }) => axis === 'tool'
    },
    {
      name: 'model fails in 40 %',
      what: { kind: 'llm', share: 0.4 },
      isRight: ({ axis }) => axis === 'model'
    }
  ],
  play: ({ index, days, change, seed }, visit) => {
    const columns = createColumns(signal.inputs.window!)
    const run = {
      tenant: TENANTS[index]!,
      days,
      change: change === null ? null : { minute: change.minute, ...change.what },
      seed
    }
    playFailures(run, (minute, rows, failed) =>
      visit({ startMs: START_MS + minute * MINUTE_MS, grains: { window: columns(rows) } }, () => ({
        value: failed,
        n: Number(rows[0]?.['n'] ?? 0)
      }))
    )
  }
}

export const scoreBlindAlerts = (size: ScoreSize): Generator<string, ScoreRow> =>
  scoreWorld(WORLD, size)
