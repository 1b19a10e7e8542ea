import type { Draft, Minute } from '../define.ts'
import { judgePools, readCounts, readPrefixes } from './pools.ts'
import { decide } from './incidents.ts'
import { judgeMinute } from './judge.ts'
import { gatherMinute, isJudged, seriesBeside } from './series.ts'
import { tenantSettings } from './settings.ts'
import type { State } from './state.ts'

const MINUTE_MS = 60_000

/** One closed minute: prompts into pools, counts into rates, rates into findings. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  const minute = startMs / MINUTE_MS
  const reuse = readPrefixes(state, grains.prefixes, minute)
  if (grains.window !== undefined) {
    gatherMinute(state.series, grains.window, startMs)
    readCounts(state, grains.window, minute)
  }
  const { series, settings } = state
  const bySize: ReturnType<typeof tenantSettings>[] = []
  const settingsOf = (slot: number) => {
    const size = seriesBeside(series, slot)
    return (bySize[size] ??= tenantSettings(settings, size))
  }
  const events = judgeMinute(series, startMs, settingsOf).filter(({ slot }) =>
    isJudged(series, slot)
  )
  const pools = judgePools(state, reuse, startMs)
  return [...pools, ...decide(state, events, startMs)]
}
