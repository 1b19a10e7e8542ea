import signal from '../../services/signals/diurnal-drift/signal.ts'
import {
  diurnalMinute,
  drawDiurnalTenants,
  playDiurnal,
  type DiurnalChange
} from '../worlds/diurnal.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World } from './world.ts'

/** Waves by hour and weekday that are no finding, and changes that are; rules see mean latency. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const TENANTS = drawDiurnalTenants(400, 11)

type Factors = Omit<DiurnalChange, 'minute'>
const NOTHING: Factors = { latency: 1, throttled: 1, failed: 1 }

const WORLD: World<Factors> = {
  name: 'Hours and weekdays',
  signal,
  limits: { side: 'high', fixed: null, fifteen: 1.5, sixty: 1.5, what: 'latency' },
  startMs: START_MS,
  warmDays: 14,
  changes: [
    {
      name: 'latency × 2.4',
      what: { ...NOTHING, latency: 2.4 },
      isRight: ({ scope }) => scope['what'] === 'latency'
    },
    {
      name: 'throttling × 8',
      what: { ...NOTHING, throttled: 8 },
      isRight: ({ scope }) => scope['what'] === 'degraded'
    },
    {
      name: 'format failures × 6',
      what: { ...NOTHING, failed: 6 },
      isRight: ({ scope }) => scope['what'] === 'format_failures'
    }
  ],
  play: ({ index, days, change, seed }, visit) => {
    const run = {
      tenant: TENANTS[index]!,
      startMs: START_MS,
      days,
      change: change === null ? null : { minute: change.minute, ...change.what },
      seed
    }
    playDiurnal(run, (one) => {
      const { logMs, calls } = one
      visit(diurnalMinute(START_MS, one), () => ({
        value: Math.exp(logMs / calls),
        n: calls
      }))
    })
  }
}

export function* scoreDiurnalDrift(size: ScoreSize): Generator<string, ScoreRow> {
  const row = yield* scoreWorld(WORLD, size)
  yield '## A daily wave in quality, and nothing changed: told as the clock'
  yield clockText(Math.max(5, size.changed))
  return row
}

const WAVE_DAYS = 35

const clockText = (tenants: number): string => {
  let [clock, change] = [0, 0]
  for (let index = 0; index < tenants; index++) {
    const fold = signal.open()
    const tenant = { ...TENANTS[index]!, failedShare: 0.03, failedWave: 4 }
    const run = { tenant, startMs: START_MS, days: WAVE_DAYS, change: null, seed: 40_000 + index }
    playDiurnal(run, (one) => {
      for (const { status, after } of fold.fold(diurnalMinute(START_MS, one))) {
        if (status !== 'firing') continue
        clock += after['cause'] === 'clock' ? 1 : 0
        change += after['cause'] === 'change' ? 1 : 0
      }
    })
  }
  return `Of ${tenants} tenants over ${WAVE_DAYS} days ${clock} were told that it is the clock, ${change} that something changed.`
}
