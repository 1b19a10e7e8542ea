import type { Columns, Draft, Minute } from '../define.ts'
import { dropIdle, remember } from '../statistics/recent.ts'
import { judgeShares } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import { gather, shareSlot, sweepShares, type WatchedShares } from '../statistics/watched-shares.ts'
import {
  createDecisions,
  createRequest,
  decided,
  gatherDecisions,
  indexModels,
  type Decisions,
  type Request
} from './decisions.ts'
import { decide } from './incidents.ts'
import { addCall, addScore, sideOf, type Side } from './sides.ts'
import type { Series, State } from './state.ts'
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
    const call = readRow(state, grains.traces, row, startMs)
    if (call.isCall) readCall(state, { decisions, switches }, call)
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
    if (!state.shares.slots.tenants.has(tenant)) state.sides.delete(tenant)
  }
}

type Row = {
  request: Request
  model: string
  conversation: string | null
  user: string | null
  isCall: boolean
  ms: number
  isFallback: number
  refused: number
  valid: number
  scorePpm: number
  costPico: number
}

const readRow = (state: State, columns: Columns, row: number, minuteMs: number): Row => {
  const { measures, texts } = columns
  const { request, model, isCall } = seriesOf(state, columns, row)
  return {
    request,
    model,
    conversation: texts['conversation']![row] ?? null,
    user: texts['end_user']![row] ?? null,
    isCall,
    ms: minuteMs + measures['at_ms']![row]!,
    isFallback: measures['is_fallback']![row]!,
    refused: measures['refused']![row]!,
    valid: measures['valid']![row]!,
    scorePpm: measures['score_ppm']![row]!,
    costPico: measures['cost_pico']![row]!
  }
}

/** What a row's series stands for, put together once a run. */
const seriesOf = (state: State, { keys, series }: Columns, row: number): Series => {
  const code = series[row]!
  const known = state.ofCode[code]
  if (known !== undefined) return known
  const [tenant = null, asked = null, model = null, route = null, kind = null] = keys[code]!
  const name = JSON.stringify([tenant, asked, route])
  const request = state.requests.get(name) ?? createRequest(tenant ?? '', asked, route)
  state.requests.set(name, request)
  return (state.ofCode[code] = { request, model: model ?? '', isCall: kind === 'llm' })
}

const DAY_MS = 86_400_000

const sideFor = (state: State, tenant: string, model: string, ms: number): Side => {
  const day = Math.floor(ms / DAY_MS)
  const known = state.sides.get(tenant)
  if (known !== undefined) return sideOf(known, model, day)
  const sides = { day, byModel: {} }
  state.sides.set(tenant, sides)
  return sideOf(sides, model, day)
}

type Gathered = { decisions: Decisions; switches: Switches }

const readCall = (state: State, { decisions, switches }: Gathered, call: Row): void => {
  const { request, model, conversation, user, ms } = call
  const { tenant, asked } = request
  addCall(sideFor(state, tenant, model, ms), call)
  const turn = { model, ms }
  let isNew = true
  if (conversation !== null) {
    const key = `${tenant}\u001f${conversation}`
    remember(state.served, key, { lastMs: ms, model, previous: null })
    const outcome = takeTurn(state.conversations, `${key}\u001f${asked}`, turn)
    isNew = outcome === 'first'
    if (!isNew) countTurn(switches, tenant, 'conversation', outcome)
  }
  decided(decisions, request, call, isNew)
  if (!isNew || user === null) return
  const outcome = takeTurn(state.users, `${tenant}\u001f${user}\u001f${asked}`, turn)
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
  const key = `${whose}\u001f${tenant}`
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
const readScore = (state: State, { request, conversation, scorePpm, ms }: Row): void => {
  const { tenant } = request
  const served = state.served.entries.get(`${tenant}\u001f${conversation}`)
  if (served !== undefined) addScore(sideFor(state, tenant, served.model, ms), scorePpm)
}
