import signal from '../../services/signals/token-energy/signal.ts'
import { CAUSE_OF } from '../../services/signals/token-energy/cause.ts'
import {
  joulesOf,
  batchOf,
  workOf,
  type Sums
} from '../../services/signals/token-energy/profile.ts'
import { drawEnergyTenants, lossFactor, playEnergy, type EnergyChange } from '../worlds/energy.ts'
import { createColumns, type GrainRow } from '../worlds/grain-rows.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World, WorldChange } from './world.ts'

/** Work whose energy moves with batches, cache and mix; rules see joules per output token. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const TENANTS = drawEnergyTenants(1000, 11)
/** The signal's floor: less extra energy than this is not to be told. */
const FLOOR_FACTOR = 1.11

type What = EnergyChange['kind']

const joulesPerToken = (rows: readonly GrainRow[]) => {
  let [joules, tokens, calls] = [0, 0, 0]
  for (const row of rows) {
    const sums = { decode_ms: 0, decode_tokens: 0, cost_pico: 0, ...row } as unknown as Sums
    const deployment = {
      model: String(row['model']),
      gpu: String(row['gpu']),
      precision: String(row['precision']),
      gpuCount: Number(row['n_gpus'])
    }
    joules += sums.n * joulesOf(deployment, batchOf(sums), workOf(sums))
    tokens += sums.out
    calls += sums.n
  }
  return { value: joules / tokens, n: calls, weight: tokens }
}

const moved = (name: string, kind: What): WorldChange<What> => ({
  name,
  what: kind,
  isRight: ({ after }) => after['cause'] === CAUSE_OF[kind]
})

const costsMore = (index: number): boolean => lossFactor(TENANTS[index]!) >= FLOOR_FACTOR

const WORLD: World<What> = {
  name: 'The same work, by model, batch and cache',
  signal,
  limits: { side: 'high', fixed: null, fifteen: 1.5, sixty: 1.5, what: 'joules per token' },
  startMs: START_MS,
  warmDays: 7,
  changes: [
    moved('tier: 60 % of calls on 405B', 'tier'),
    moved('batches a sixth', 'batch'),
    { ...moved('cache 71→18 % of its hits, 11 % of energy or more', 'cache'), applies: costsMore },
    {
      ...moved('the same, less than 11 % of energy: not to be told', 'cache'),
      applies: (index) => !costsMore(index),
      isSmall: true
    }
  ],
  play: ({ index, days, change, seed }, visit) => {
    const columns = createColumns(signal.inputs.traces!)
    const run = {
      tenant: TENANTS[index]!,
      days,
      change: change === null ? null : { kind: change.what, minute: change.minute },
      seed
    }
    playEnergy(run, (minute, rows) => {
      const startMs = START_MS + minute * MINUTE_MS
      visit({ startMs, grains: { traces: columns(rows) } }, () => joulesPerToken(rows))
    })
  }
}

export const scoreTokenEnergy = (size: ScoreSize): Generator<string, ScoreRow> =>
  scoreWorld(WORLD, size)
