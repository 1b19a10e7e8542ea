import type { Columns, Draft, Minute } from '../define.ts'
import { gatherParents } from '../statistics/share-parents.ts'
import type { Words } from '../statistics/series-slots.ts'
import { judgeShares } from '../statistics/share-incidents.ts'
import {
  forgetCodes,
  gather,
  NO_SLOT,
  slotOfRow,
  sweepShares
} from '../statistics/watched-shares.ts'
import { decide } from './incidents.ts'
import { addFailure, addSuccess, attemptsBefore, dropLoops } from './loops.ts'
import type { State } from './state.ts'

/**
 * First attempts that miss their schema are watched per tenant, model and schema; and over all
 * schemas of a model, for each tenant and for all of them, against what their own baselines lead
 * one to expect, so that a change of the mix of schemas is no fall of the model.
 */

export const leafName = ([tenant, model, schema]: Words): Words => [
  tenant ?? null,
  'leaf',
  model ?? null,
  schema ?? null
]

export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  sweep(state, startMs)
  dropLoops(state, startMs)
  const grain = grains.traces === undefined ? 'window' : 'traces'
  const columns = grains[grain]
  if (columns === undefined) return []
  if (state.grain !== grain) forgetCodes(state.shares)
  state.grain = grain
  if (grain === 'traces') readAttempts(state, columns, startMs)
  else readWindows(state, columns, startMs)
  gatherParents(state.shares, state.parents, above, startMs)
  return decide(state, judgeShares(state.shares, startMs, state.settings), startMs)
}

const sweep = (state: State, ms: number): void => {
  if (sweepShares(state.shares, ms)) state.parents.clear()
  if (state.ended.size <= state.shares.slots.slots.size) return
  for (const series of state.ended.keys()) {
    if (!state.shares.slots.slots.has(series)) state.ended.delete(series)
  }
}

const reported = (value: number): number => (Number.isNaN(value) ? 0 : value)

const readWindows = ({ shares }: State, columns: Columns, ms: number): void => {
  const { judged, valid, cost_pico } = columns.measures as Record<string, Float64Array>
  for (let row = 0; row < columns.rows; row++) {
    const [n, good] = [judged![row]!, valid![row]!]
    const slot = slotOfRow(shares, columns, { row, ms }, leafName)
    gather(shares, slot, { n, k: n - good, sums: [n, good, reported(cost_pico![row]!)] })
  }
}

const readAttempts = (state: State, columns: Columns, ms: number): void => {
  const { shares } = state
  const { at_ms, valid, attempt, cost_pico } = columns.measures as Record<string, Float64Array>
  const { operation, error } = columns.texts
  for (let row = 0; row < columns.rows; row++) {
    const slot = slotOfRow(shares, columns, { row, ms }, leafName)
    if (slot === NO_SLOT) continue
    const id = operation?.at(row) ?? null
    const tenant = columns.keys[columns.series[row]!]![0] ?? ''
    const key = id === null ? null : `${tenant}\u001f${id}`
    // Emitters that do not number attempts are known by the failures of the same operation.
    const isFirst = !(attempt![row]! > 1) && attemptsBefore(state, key) === 0
    const good = valid![row]!
    const own = isFirst ? { n: 1, k: 1 - good } : { n: 0, k: 0 }
    gather(shares, slot, { ...own, sums: [1, good, reported(cost_pico![row]!)] })
    const at = ms + at_ms![row]!
    if (good === 1) addSuccess(state, key, at)
    else {
      const series = shares.slots.keys[slot]!
      addFailure(state, { key, series, error: error?.at(row) ?? null, ms: at })
    }
  }
}

const above = ([tenant, , model]: Words): Words[] => [
  [tenant ?? null, 'model', model ?? null],
  [null, 'fleet', model ?? null]
]
