import type { Draft, Minute } from '../define.ts'
import { judgePools, readCounts, readPrefixes } from './pools.ts'
import { decide } from './incidents.ts'
import { judgeMinute } from './judge.ts'
import { gatherMinute, isJudged } from './series.ts'
import { tenantSettings } from './settings.ts'
import type { State } from './state.ts'

const MINUTE_MS = 60_000
/** A model's series carries many tenants' traffic: it shares no tenant's budget. */
const MODEL_SERIES = 1

/** One closed minute: prompts into pools, counts into rates, rates into findings. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  const minute = startMs / MINUTE_MS
  const reuse = readPrefixes(state, grains.prefixes, minute)
  if (grains.window !== undefined) {
    gatherMinute(state.series, grains.window, startMs)
    readCounts(state, grains.window, minute)
  }
  const { series, settings } = state
  const bySize = new Map<number, ReturnType<typeof tenantSettings>>()
  const settingsOf = (slot: number) => {
    const name = series.names[slot]!
    const leaves = series.leaves.get(name.tenant ?? '')?.length ?? MODEL_SERIES
    const size = name.level === 'model' || leaves === 1 ? 1 : leaves + 1
    const known = bySize.get(size) ?? tenantSettings(settings, size)
    bySize.set(size, known)
    return known
  }
  const events = judgeMinute(series, startMs, settingsOf).filter(({ slot }) =>
    isJudged(series, slot)
  )
  const pools = judgePools(state, reuse, startMs)
  return [...pools, ...decide(state, events, startMs)]
}
