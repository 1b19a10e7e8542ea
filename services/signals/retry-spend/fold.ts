import type { Columns, Draft, Minute } from '../define.ts'
import { dropIdle } from '../statistics/recent.ts'
import type { Words } from '../statistics/series-slots.ts'
import { judgeShares } from '../statistics/share-incidents.ts'
import { gatherParents } from '../statistics/share-parents.ts'
import { gather, slotOfRow, sweepShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { decide } from './incidents.ts'
import { endLoops, readLoops } from './loops.ts'
import type { State } from './state.ts'

/**
 * The share of retries is watched per tenant, provider, model and route; and over all of a
 * tenant's, and all of a provider's. Single operations that go on are followed one by one.
 */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  if (sweepShares(state.shares, startMs)) state.parents.clear()
  dropIdle(state.hazards, startMs)
  const ended = endLoops(state, startMs)
  if (grains.window !== undefined) readWindows(state.shares, grains.window, startMs)
  gatherParents(state.shares, state.parents, above, startMs)
  const events = judgeShares(state.shares, startMs, state.settings)
  const loops = grains.traces === undefined ? [] : readLoops(state, grains.traces, startMs)
  return [...ended, ...decide(state, events, startMs), ...loops]
}

const leafName = ([tenant, provider, model, route]: Words): Words => [
  tenant ?? null,
  'leaf',
  provider ?? null,
  model ?? null,
  route ?? null
]

const above = ([tenant, , provider]: Words): Words[] => [
  [tenant ?? null, 'tenant'],
  [null, 'provider', provider ?? null]
]

const reported = (value: number): number => (Number.isNaN(value) ? 0 : value)

const readWindows = (
  shares: WatchedShares,
  { measures, ...columns }: Columns,
  ms: number
): void => {
  const column = (name: string): Float64Array => measures[name]!
  for (let row = 0; row < columns.rows; row++) {
    const value = (name: string): number => reported(column(name)[row]!)
    const slot = slotOfRow(shares, { measures, ...columns }, { row, ms }, leafName)
    const refused = value('n_429') + value('n_529')
    gather(shares, slot, {
      n: value('n'),
      k: value('retries'),
      sums: [value('cost_pico'), value('cost_retry_pico'), refused]
    })
  }
}
