import type { Draft } from '../define.ts'
import { endDraft } from '../statistics/share-incidents.ts'
import { loopDraft, type Sighting } from './finding.ts'
import { textOf } from './step.ts'
import { loopKey } from './trace.ts'
import type { Incident, State } from './state.ts'

/**
 * One incident per tenant and loop, however many traces run into it: each of the first ten is
 * told, then every doubling.
 */

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Traces told one by one, before doublings only. */
const TRACES_TOLD_MAX = 10

const isTold = (loops: number): boolean =>
  loops <= TRACES_TOLD_MAX || Number.isInteger(Math.log2(loops))

export const openLoop = (state: State, sighting: Sighting): Draft[] => {
  const { loop, trace, step } = sighting
  const key = JSON.stringify([trace.tenant, loopKey(loop.kind, loop.labels)])
  const open = state.incidents.get(key)
  const name = textOf(step, 'trace')!
  const isNew = open?.traces.includes(name) !== true
  const told = open?.traces ?? []
  const traces = isNew ? [...told, name].slice(-TRACES_TOLD_MAX) : told
  const loops = (open?.loops ?? 0) + Number(isNew)
  const isSaid = !isNew || isTold(loops)
  const draft =
    isSaid || open === undefined ? draftOf(state, sighting, { open, traces, loops }) : open.draft
  state.incidents.set(key, { lastMs: step.ms, draft, traces, loops })
  return isSaid ? [draft] : []
}

type Sightings = { open: Incident | undefined; traces: string[]; loops: number }

const draftOf = (
  { settings }: State,
  sighting: Sighting,
  { open, traces, loops }: Sightings
): Draft => {
  const day = Math.floor(sighting.loop.startedMs / DAY_MS)
  const since = open === undefined ? { day } : { first: open.draft }
  return loopDraft(sighting, { traces, loops, settings, ...since })
}

export const resolveQuiet = (state: State, ms: number): Draft[] => {
  const drafts: Draft[] = []
  for (const [key, { lastMs, draft }] of state.incidents) {
    if (ms - lastMs < state.settings.quietMinutes * MINUTE_MS) continue
    state.incidents.delete(key)
    drafts.push(endDraft(draft, ms))
  }
  return drafts
}
