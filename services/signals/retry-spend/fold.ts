import type { Columns, Draft, Minute } from '../define.ts'
import { dropIdle } from '../statistics/recent.ts'
import type { Words } from '../statistics/series-slots.ts'
import { judgeShares } from '../statistics/share-incidents.ts'
import { gatherParents } from '../statistics/share-parents.ts'
import { gather, slotOfRow, sweepShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { decide } from './incidents.ts'
import { endLoops, readLoops } from './loops.ts'
import type { State } from './state.ts'

export const beginMinute = (state: State, startMs: number): Draft[] => {
  if (sweepShares(state.shares, startMs)) state.parents.clear()
  dropIdle(state.hazards, startMs)
  return endLoops(state, startMs)
}

/** Attempts into operations that go on. */
export const follow = (state: State, events: Columns, startMs: number): Draft[] =>
  readLoops(state, events, startMs)

/**
 * The share of retries is watched per tenant, provider, model and route; and over all of a
 * tenant's, and all of a provider's. Single operations that go on are followed one by one.
 */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  if (grains.window !== undefined) readWindows(state.shares, grains.window, startMs)
  gatherParents(state.shares, state.parents, above, startMs)
  const events = judgeShares(state.shares, startMs, state.settings)
  return decide(state, events, startMs)
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

const readWindows = (shares: WatchedShares, columns: Columns, ms: number): void => {
  const { n, retries, cost_pico, cost_retry_pico, n_429, n_529 } = columns.measures
  for (let row = 0; row < columns.rows; row++) {
    const slot = slotOfRow(shares, columns, { row, ms }, leafName)
    const refused = reported(n_429![row]!) + reported(n_529![row]!)
    gather(shares, slot, {
      n: reported(n![row]!),
      k: reported(retries![row]!),
      sums: [reported(cost_pico![row]!), reported(cost_retry_pico![row]!), refused]
    })
  }
}
