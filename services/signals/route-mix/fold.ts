import type { Columns, Draft, Minute } from '../define.ts'
import { identityOf, pairIdentity } from '../statistics/identity.ts'
import type { Words } from '../statistics/series-slots.ts'
import { judgeShares } from '../statistics/share-incidents.ts'
import { sweepShares } from '../statistics/watched-shares.ts'
import {
  createRequest,
  decided,
  gatherDecisions,
  indexModels,
  servedBy,
  type Decisions,
  type Request
} from './decisions.ts'
import { decide } from './incidents.ts'
import { addCall, addScore, sideOf, type Side } from './sides.ts'
import type { Series, State } from './state.ts'
import { countTurn, forgetSlots, gatherSwitches, switchesOf } from './switches.ts'
import { dropIdleTurns, latestModel, modelNumber, takeTurn } from './turns.ts'

/**
 * Three things are watched. The mix: of what was newly decided for one requested model and route,
 * the share that each model served. Switches within conversations, and between the conversations
 * of one end user: turns on which the same request got another model than before.
 */
export const foldMinute = (state: State, { startMs }: Minute): Draft[] => {
  if (state.decisions.length === 0) return []
  gatherSwitches(state.shares, state.switches, startMs)
  state.models ??= indexModels(state.shares)
  gatherDecisions(state.shares, state.models, state.decisions, startMs)
  return decide(state, judgeShares(state.shares, startMs, state.settings), startMs)
}

export const beginMinute = (state: State, ms: number): Draft[] => {
  for (const turns of [state.conversations, state.users, state.served]) dropIdleTurns(turns, ms)
  if (sweepShares(state.shares, ms)) forgetSeries(state)
  return []
}

/** Calls into decisions and turns, scores to the models that they judge. */
export const follow = (state: State, events: Columns, startMs: number): Draft[] => {
  const rows = rowsOf(events)
  for (let row = 0; row < events.rows; row++) {
    const series = seriesOf(state, events, row)
    const ms = startMs + rows.atMs[row]!
    if (series.isCall) readCall(state, state.decisions, { series, rows, row, ms })
    else readScore(state, { series, rows, row, ms })
  }
  return []
}

const forgetSeries = (state: State): void => {
  state.models = null
  for (const request of state.requests.values()) request.found = null
  forgetSlots(state.switches)
  for (const tenant of state.sides.keys()) {
    if (!state.shares.slots.tenants.has(tenant)) state.sides.delete(tenant)
  }
}

/** Columns of a minute; identities are NaN where there is none. */
const rowsOf = ({ measures }: Columns) => ({
  atMs: measures['at_ms']!,
  conversation: measures['conversation']!,
  user: measures['end_user']!,
  isFallback: measures['is_fallback']!,
  refused: measures['refused']!,
  valid: measures['valid']!,
  scorePpm: measures['score_ppm']!,
  costPico: measures['cost_pico']!
})

type Row = { series: Series; rows: ReturnType<typeof rowsOf>; row: number; ms: number }

/** What a row's series stands for, put together once a run. */
const seriesOf = (state: State, { keys, series }: Columns, row: number): Series => {
  const code = series[row]!
  const known = state.ofCode[code]
  if (known !== undefined) return known
  return (state.ofCode[code] = createSeries(state, keys[code]!))
}

const createSeries = (state: State, words: Words): Series => {
  const [, asked = null, , route = null, kind] = words
  const [tenant, model] = [words[0] ?? '', words[2] ?? '']
  const request = requestOf(state, tenant, asked, route)
  return {
    request,
    served: servedBy(request, model),
    modelNumber: modelNumber(state.modelNames, model),
    tenantIdentity: identityOf(tenant),
    askedIdentity: identityOf(tenant, asked ?? '', route ?? ''),
    switches: switchesOf(state.switches, tenant),
    isCall: kind === 'llm'
  }
}

const requestOf = (
  { requests }: State,
  ...[tenant, asked, route]: Parameters<typeof createRequest>
): Request => {
  const name = JSON.stringify([tenant, asked, route])
  const request = requests.get(name) ?? createRequest(tenant, asked, route)
  requests.set(name, request)
  return request
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

const readCall = (state: State, decisions: Decisions, { series, rows, row, ms }: Row): void => {
  const { request, served, tenantIdentity, askedIdentity } = series
  addCall(sideFor(state, request.tenant, served.model, ms), {
    refused: rows.refused[row]!,
    valid: rows.valid[row]!,
    costPico: rows.costPico[row]!
  })
  const turn = { model: series.modelNumber, ms }
  const [conversation, user] = [rows.conversation[row]!, rows.user[row]!]
  let isNew = true
  if (!Number.isNaN(conversation)) {
    takeTurn(state.served, pairIdentity(tenantIdentity, conversation), turn)
    const outcome = takeTurn(state.conversations, pairIdentity(askedIdentity, conversation), turn)
    isNew = outcome === 'first'
    if (!isNew) countTurn(state.switches, series.switches.conversation, outcome)
  }
  decided(decisions, series, rows.isFallback[row]!, isNew)
  if (!isNew || Number.isNaN(user)) return
  const outcome = takeTurn(state.users, pairIdentity(askedIdentity, user), turn)
  if (outcome !== 'first') countTurn(state.switches, series.switches.user, outcome)
}

/** A judged score is about the model that served its conversation last. */
const readScore = (state: State, { series, rows, row, ms }: Row): void => {
  const identity = pairIdentity(series.tenantIdentity, rows.conversation[row]!)
  const served = latestModel(state.served, identity)
  if (served === null) return
  const model = state.modelNames.names[served]!
  addScore(sideFor(state, series.request.tenant, model, ms), rows.scorePpm[row]!)
}
