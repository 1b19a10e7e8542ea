import type { Columns, Draft, Minute } from '../define.ts'
import { dropIdle, remember } from '../statistics/recent.ts'
import { judgeShares } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import { gather, shareSlot, sweepShares, type WatchedShares } from '../statistics/watched-shares.ts'
import {
  createDecisions,
  decided,
  gatherDecisions,
  indexModels,
  type Decisions
} from './decisions.ts'
import { decide } from './incidents.ts'
import { addCall, addScore, sideOf, type Side } from './sides.ts'
import type { State } from './state.ts'
import { takeTurn, type TurnOutcome } from './turns.ts'

/**
 * Three things are watched. The mix: of what was newly decided for one requested model and route,
 * the share that each model served. Switches within conversations, and between the conversations
 * of one end user: turns on which the same request got another model than before.
 */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  sweep(state, startMs)
  if (grains.traces === undefined) return []
  const decisions = createDecisions()
  const switches: Switches = new Map()
  for (let row = 0; row < grains.traces.rows; row++) {
    const call = readRow(grains.traces, row, startMs)
    if (call.kind === 'llm') readCall(state, { decisions, switches }, call)
    else readScore(state, call)
  }
  gatherSwitches(state.shares, switches, startMs)
  state.models ??= indexModels(state.shares)
  gatherDecisions(state.shares, state.models, decisions, startMs)
  return decide(state, judgeShares(state.shares, startMs, state.settings), startMs)
}

const sweep = (state: State, ms: number): void => {
  for (const turns of [state.conversations, state.users, state.served]) dropIdle(turns, ms)
  if (!sweepShares(state.shares, ms)) return
  state.models = null
  for (const tenant of state.sides.keys()) {
    if (!state.shares.slots.perTenant.has(JSON.stringify(tenant))) state.sides.delete(tenant)
  }
}

type Row = {
  tenant: string
  asked: string | null
  model: string
  route: string | null
  conversation: string | null
  user: string | null
  kind: string | null
  ms: number
  isFallback: number
  refused: number
  valid: number
  scorePpm: number
  costPico: number
}

const readRow = (
  { measures, texts, keys, series }: Columns,
  row: number,
  minuteMs: number
): Row => {
  const [tenant, asked, model, route] = keys[series[row]!]!
  const value = (name: string): number => measures[name]![row]!
  const text = (name: string): string | null => texts[name]![row] ?? null
  return {
    tenant: tenant ?? '',
    asked: asked ?? null,
    model: model ?? '',
    route: route ?? null,
    conversation: text('conversation'),
    user: text('end_user'),
    kind: text('kind'),
    ms: minuteMs + value('at_ms'),
    isFallback: value('is_fallback'),
    refused: value('refused'),
    valid: value('valid'),
    scorePpm: value('score_ppm'),
    costPico: value('cost_pico')
  }
}

const DAY_MS = 86_400_000

const sideFor = (state: State, tenant: string, model: string, ms: number): Side => {
  const day = Math.floor(ms / DAY_MS)
  const sides = state.sides.get(tenant) ?? { day, byModel: {} }
  state.sides.set(tenant, sides)
  return sideOf(sides, model, day)
}

const SEPARATOR = '\u001f'

type Gathered = { decisions: Decisions; switches: Switches }

const readCall = (state: State, { decisions, switches }: Gathered, call: Row): void => {
  const { tenant, asked, model, conversation, user, ms } = call
  addCall(sideFor(state, tenant, model, ms), call)
  const request = [asked ?? '', call.route ?? ''].join(SEPARATOR)
  const turn = { model, ms }
  let isNew = true
  if (conversation !== null) {
    const key = [tenant, conversation].join(SEPARATOR)
    remember(state.served, key, { lastMs: ms, model, previous: null })
    const outcome = takeTurn(state.conversations, [key, request].join(SEPARATOR), turn)
    isNew = outcome === 'first'
    if (!isNew) countTurn(switches, tenant, 'conversation', outcome)
  }
  decided(decisions, call, isNew)
  if (!isNew || user === null) return
  const outcome = takeTurn(state.users, [tenant, user, request].join(SEPARATOR), turn)
  if (outcome !== 'first') countTurn(switches, tenant, 'user', outcome)
}

/** Turns of a minute that followed another, by tenant and whose turns they are. */
type Switches = Map<string, { name: Words; turns: number; flips: number; back: number }>

const countTurn = (
  switches: Switches,
  tenant: string,
  whose: 'conversation' | 'user',
  outcome: TurnOutcome
): void => {
  const key = whose + SEPARATOR + tenant
  const counts = switches.get(key) ?? { name: [tenant, whose], turns: 0, flips: 0, back: 0 }
  switches.set(key, counts)
  counts.turns += 1
  if (outcome !== 'same') counts.flips += 1
  if (outcome === 'back') counts.back += 1
}

const gatherSwitches = (shares: WatchedShares, switches: Switches, ms: number): void => {
  for (const { name, turns, flips, back } of switches.values()) {
    gather(shares, shareSlot(shares, name, ms), { n: turns, k: flips, sums: [back, 0, 0] })
  }
}

/** A judged score is about the model that served its conversation last. */
const readScore = (state: State, { tenant, conversation, scorePpm, ms }: Row): void => {
  const served = state.served.entries.get([tenant, conversation].join(SEPARATOR))
  if (served !== undefined) addScore(sideFor(state, tenant, served.model, ms), scorePpm)
}
