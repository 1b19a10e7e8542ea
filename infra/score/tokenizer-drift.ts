import type { Draft } from '../../services/signals/define.ts'
import signal from '../../services/signals/tokenizer-drift/signal.ts'
import { createColumns } from '../worlds/grain-rows.ts'
import { drawCountWorlds, playCounts, type CountWorld } from '../worlds/token-counts.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World, WorldChange } from './world.ts'

/** Counts that differ by text, and a provider that changes its tokenizer; rules see the ratio. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
/** Every other series has counts that are off from its first day on, which is no change. */
const SERIES: CountWorld[] = [false, true].flatMap((drifts) => drawCountWorlds(200, drifts, 22))
const seriesOf = (index: number): CountWorld => SERIES[(index % 2) * 200 + Math.floor(index / 2)]!

/** Points by which the stated size of a change may be off. */
const SIZE_POINTS = 2

const middle = (figures: Draft['after']): number =>
  1 + (Number(figures['drift_low_pct']) + Number(figures['drift_high_pct'])) / 200

const changed = (percent: number): WorldChange<number> => ({
  name: `+ ${percent} %`,
  what: 1 + percent / 100,
  isRight: ({ before, after }) =>
    Math.abs(100 * (middle(after) / middle(before) - 1) - percent) <= SIZE_POINTS
})

const WORLD: World<number> = {
  name: 'Token counts, half of the series off from the start',
  signal,
  limits: { side: 'high', fixed: null, fifteen: 1.1, sixty: 1.05, what: 'reported / local' },
  curve: [16, 12, 8].map((changeNats) => ({
    name: `this signal, ${changeNats} nats for a change${changeNats === 16 ? ' (default)' : ''}`,
    settings: { changeNats }
  })),
  startMs: START_MS,
  warmDays: 3,
  changes: [changed(5), changed(11), changed(35)],
  // Of a series that is off from the start only a change is false.
  counts: ({ after }, index) => index % 2 === 0 || after['kind'] === 'changed',
  play: ({ index, days, change, seed }, visit) => {
    const columns = createColumns(signal.inputs.traces!)
    const run = {
      world: seriesOf(index),
      days,
      change: change === null ? null : { minute: change.minute, factor: change.what },
      seed
    }
    playCounts(run, (minute, rows, value) => {
      const startMs = START_MS + minute * MINUTE_MS
      visit({ startMs, grains: { traces: columns(rows) } }, () => ({ value, n: rows.length }))
    })
  }
}

export const scoreTokenizerDrift = (size: ScoreSize): Generator<string, ScoreRow> =>
  scoreWorld(WORLD, size)
