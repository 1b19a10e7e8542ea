import type { Columns, Draft, Minute } from '../define.ts'
import { endDraft, judgeShares, type ShareEvent } from '../statistics/share-incidents.ts'
import { gather, shareSlot, sweepShares } from '../statistics/watched-shares.ts'
import { RECORDED, type Fact } from './facts.ts'
import { gapFinding, scoreFinding } from './finding.ts'
import { agentOf, beginMinute, hasStep, seeAgent, seeStep } from './flights.ts'
import { completeness, countFact, countStep, scoreFor, type Score } from './scores.ts'
import type { State } from './state.ts'

/** One closed minute: steps into flights, facts into shares and scores, those into findings. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  sweepShares(state.shares, startMs)
  beginMinute(state.flights, startMs)
  const touched = new Set<Score>()
  if (grains.traces !== undefined) {
    seeAll(state, grains.traces)
    for (let row = 0; row < grains.traces.rows; row++) {
      touched.add(countRow(state, grains.traces, row, startMs))
    }
  }
  const events = judgeShares(state.shares, startMs, state.settings)
  const gaps = events.flatMap((event) => tell(state, event, startMs))
  return [...gaps, ...[...touched].flatMap((score) => tellScore(state, score, startMs))]
}

/** Agents first, then steps: rows of one instant come in no order. */
const seeAll = ({ flights }: State, { rows, measures, texts }: Columns): void => {
  for (let row = 0; row < rows; row++) {
    const name = texts['name']![row]
    if (measures['is_agent']![row] !== 1 || name == null) continue
    seeAgent(flights, texts['trace_id']![row]!, name)
  }
  for (let row = 0; row < rows; row++) {
    const span = texts['span_id']![row]
    if (span != null) seeStep(flights, texts['trace_id']![row]!, span)
  }
}

const countRow = (state: State, columns: Columns, row: number, ms: number): Score => {
  const { keys, series, measures, texts } = columns
  const [tenant, emitter] = keys[series[row]!]!
  const trace = texts['trace_id']![row]!
  const agent = agentOf(state.flights, trace)
  const score = scoreFor(state.scores, { emitter: emitter ?? null, agent }, ms)
  countStep(score, ms)
  const count = (fact: Fact, isMissing: boolean): void => {
    countFact(score, fact, isMissing)
    const slot = shareSlot(state.shares, [tenant ?? null, emitter ?? null, agent, fact], ms)
    gather(state.shares, slot, { n: 1, k: isMissing ? 1 : 0, sums: [0, 0, 0] })
  }
  for (const fact of RECORDED) {
    const value = measures[fact]![row]!
    if (!Number.isNaN(value)) count(fact, value === 0)
  }
  const parent = texts['parent_span_id']![row]
  const isThere = parent == null ? null : hasStep(state.flights, trace, parent, ms)
  if (isThere !== null) count('parent', !isThere)
  return score
}

const openKey = ({ name }: ShareEvent): string => JSON.stringify(name.slice(0, 3))

/** One finding at a time per agent: an update of its emitter drops several facts at once. */
const tell = (state: State, event: ShareEvent, ms: number): Draft[] => {
  const key = openKey(event)
  const fact = event.name[3] ?? ''
  const known = state.open.get(key)
  if (event.outcome === 'opened') {
    if (known !== undefined) return []
    const draft = gapFinding(event, ms)
    state.open.set(key, { fact, draft })
    return [draft]
  }
  if (known?.fact !== fact) return []
  state.open.delete(key)
  return [endDraft(known.draft, ms, event.outcome)]
}

/** How far a score must rise above the limit before the finding ends. */
const SCORE_ABOVE = 0.1

const tellScore = ({ settings }: State, score: Score, ms: number): Draft[] => {
  if (score.steps < settings.scoreSteps) return []
  const complete = completeness(score)
  if (score.open === null && complete < settings.scoreMin) {
    score.open = scoreFinding(score, ms)
    return [score.open]
  }
  if (score.open === null || complete < Math.min(1, settings.scoreMin + SCORE_ABOVE)) return []
  const ended = endDraft(score.open, ms)
  score.open = null
  return [ended]
}
