import signal from '../../services/signals/flight-gaps/signal.ts'
import {
  drawFlightWorlds,
  missingShare,
  playFlights,
  type FlightChange
} from '../worlds/flights.ts'
import { createColumns } from '../worlds/grain-rows.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World, WorldChange } from './world.ts'

/** Flights that lack a fact now and then, and a fact that is lost; rules see the missing share. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const AGENTS = drawFlightWorlds(400, 31)

type What = Omit<FlightChange, 'minute'>

const lost = (name: string, what: What): WorldChange<What> => ({
  name,
  what,
  isRight: ({ scope }) => scope['fact'] === what.fact
})

const WORLD: World<What> = {
  name: 'Flights of agents',
  signal,
  limits: { side: 'high', fixed: 0.25, fifteen: 2, sixty: 2, what: 'missing share' },
  startMs: START_MS,
  warmDays: 3,
  changes: [
    lost('60 % of tool results cut', { fact: 'result', share: 0.6 }),
    lost('40 % of parents gone', { fact: 'parent', share: 0.4 }),
    lost('30 % of usage gone', { fact: 'usage', share: 0.3 })
  ],
  play: ({ index, days, change, seed }, visit) => {
    const columns = createColumns(signal.inputs.traces!)
    const run = {
      world: AGENTS[index]!,
      days,
      change: change === null ? null : { ...change.what, minute: change.minute },
      seed
    }
    playFlights(run, (minute, rows) => {
      const startMs = START_MS + minute * MINUTE_MS
      visit({ startMs, grains: { traces: columns(rows) } }, () => ({
        value: missingShare(rows),
        n: rows.length
      }))
    })
  }
}

export const scoreFlightGaps = (size: ScoreSize): Generator<string, ScoreRow> =>
  scoreWorld(WORLD, size)
