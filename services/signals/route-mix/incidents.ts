import type { Draft } from '../define.ts'
import { expectedShare } from '../statistics/rise-baseline.ts'
import { carriersOf, leavesOf } from '../statistics/share-carriers.ts'
import { endDraft, judgedKey, type ShareEvent } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import { indexModels, modelsOf } from './decisions.ts'
import { flipDraft, mixDraft, movedFingerprint, type Product } from './finding.ts'
import { shareOf } from '../statistics/rise-change.ts'
import type { State } from './state.ts'

/** Turns what happened to mixes and switches in a minute into findings that open and close. */

/** Change points of one cause are estimated at most this far apart. */
const SAME_CHANGE_MS = 30 * 60_000
/** With fewer ways back among the switches, a mix that moved once explains them. */
const BACK_SHARE_MIN = 0.2
const LEVELS = ['mix', 'conversation', 'user']
const levelOf = ({ name }: ShareEvent): number => LEVELS.indexOf(name[1] ?? '')

export const decide = (state: State, events: readonly ShareEvent[], ms: number): Draft[] =>
  [...events]
    .sort((a, b) => levelOf(a) - levelOf(b) || shareOf(b.change.after) - shareOf(a.change.after))
    .map((event) => decideSeries(state, event, ms))
    .filter((draft) => draft !== null)

const decideSeries = (state: State, event: ShareEvent, ms: number): Draft | null => {
  const key = judgedKey(event)
  if (event.outcome === 'opened') {
    if (isTold(state, event)) return null
    const draft = event.name[1] === 'mix' ? mixOf(state, event, ms) : flipOf(state, event, ms)
    state.open.set(key, draft)
    return draft
  }
  const draft = state.open.get(key)
  if (draft === undefined || draft.fingerprint !== movedFingerprint(event)) return null
  state.open.delete(key)
  return endDraft(draft, ms, event.outcome)
}

/** Whether a finding that is open tells of this change already. */
const isTold = (state: State, { name, change }: ShareEvent): boolean =>
  [...state.open].some(([key, draft]) => {
    const [tenant, level, asked, route] = JSON.parse(key) as Words
    if (tenant !== name[0]) return false
    const near = Math.abs(Date.parse(draft.started_at) - change.before.toMs) <= SAME_CHANGE_MS
    // A mix says more than the switches that came with it.
    if (name[1] === 'mix') return level === 'mix' && asked === name[2] && route === name[3]
    if (level !== 'mix') return near
    return near && change.after.sums[0] < BACK_SHARE_MIN * change.after.k
  })

const mixOf = (state: State, event: ShareEvent, ms: number): Draft => {
  const { slots } = state.shares
  const model = event.name[4] ?? ''
  const under = ([tenant, level, asked, route]: Words): boolean =>
    level === 'mix' &&
    tenant === event.name[0] &&
    asked === event.name[2] &&
    route === event.name[3]
  const risen = carriersOf(slots, leavesOf(slots, under))
  const products = modelsOf(state.models ?? indexModels(state.shares), event.name).map(
    ([other, slot]): Product => {
      const carrier = risen.find(({ words }) => words[4] === other)
      const before = carrier?.before ?? expectedShare(slots.records, slot, ms)
      return {
        model: other,
        before,
        after: carrier === undefined ? null : shareOf(carrier.after),
        side: sideOfModel(state, event, other)
      }
    }
  )
  return mixDraft(event, { detectedMs: ms, model, products, settings: state.settings })
}

const sideOfModel = (state: State, { name }: ShareEvent, model: string) =>
  state.sides.get(name[0] ?? '')?.byModel[model] ?? null

/** Models compared in a finding about switches: the ones that most calls got. */
const FLIP_MODELS_MAX = 4

const flipOf = (state: State, event: ShareEvent, ms: number): Draft => {
  const sides = Object.entries(state.sides.get(event.name[0] ?? '')?.byModel ?? {})
  const products = sides
    .sort((a, b) => b[1].calls - a[1].calls || (a[0] < b[0] ? -1 : 1))
    .slice(0, FLIP_MODELS_MAX)
    .map(([model, side]): Product => ({ model, before: null, after: null, side }))
  return flipDraft(event, { detectedMs: ms, model: null, products, settings: state.settings })
}
