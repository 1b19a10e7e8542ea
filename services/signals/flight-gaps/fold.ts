import type { Columns, Draft, Minute } from '../define.ts'
import { endDraft, judgeShares, type ShareEvent } from '../statistics/share-incidents.ts'
import { gather, shareSlot, sweepShares } from '../statistics/watched-shares.ts'
import { FACTS, RECORDED } from './facts.ts'
import { gapFinding, scoreFinding } from './finding.ts'
import {
  AGENT_CODES,
  agentOf,
  beginFlights,
  hasStep,
  NO_AGENT,
  seeAgent,
  seeStep
} from './flights.ts'
import { completeness, countFact, countStep, scoreFor, type Score } from './scores.ts'
import { NOT_ASKED, noSteps, type Kind, type State } from './state.ts'

export const beginMinute = (state: State, startMs: number): Draft[] => {
  if (sweepShares(state.shares, startMs)) state.kinds.clear()
  beginFlights(state.flights, startMs)
  return []
}

/** Steps into flights, and their facts into kinds. */
export const follow = (state: State, events: Columns, startMs: number): Draft[] => {
  const timeMs = events.measures['time_ms']!
  for (let row = 0; row < events.rows;) {
    let end = row + 1
    while (end < events.rows && timeMs[end] === timeMs[row]) end++
    seeInstant(state, events, [row, end])
    for (; row < end; row++) countRow(state, events, row, startMs)
  }
  return []
}

/** One closed minute: facts into shares and scores, those into findings. */
export const foldMinute = (state: State, { startMs }: Minute): Draft[] => {
  countOrphans(state, startMs)
  const touched = new Set<Score>()
  for (const kind of state.running.kinds) {
    touched.add(kind.score)
    gatherKind(state, kind, startMs)
  }
  state.running = noSteps()
  const events = judgeShares(state.shares, startMs, state.settings)
  const gaps = events.flatMap((event) => tell(state, event, startMs))
  return [...gaps, ...[...touched].flatMap((score) => tellScore(state, score, startMs))]
}

/** Agents first, then steps: rows of one instant come in no order. */
const seeInstant = (
  { flights }: State,
  { measures, texts }: Columns,
  [first, end]: readonly [number, number]
): void => {
  const { trace, span } = measures
  for (let row = first; row < end; row++) {
    const name = texts['agent']!.at(row)
    if (name != null) seeAgent(flights, trace![row]!, name)
  }
  for (let row = first; row < end; row++) {
    if (!Number.isNaN(span![row]!)) seeStep(flights, span![row]!)
  }
}

const PARENT = FACTS.indexOf('parent')

const countRow = (state: State, columns: Columns, row: number, ms: number): void => {
  const { measures } = columns
  const kind = kindOf(state, columns, { row, ms })
  state.running.kinds.add(kind)
  countStep(kind.score, ms)
  for (let fact = 0; fact < RECORDED.length; fact++) {
    const value = measures[RECORDED[fact]!]![row]!
    if (!Number.isNaN(value)) count(kind, fact, value === 0)
  }
  const parent = measures['parent']![row]!
  if (Number.isNaN(parent)) return
  // Clocks differ: a parent may begin after its child by its own, but hardly by a minute.
  if (hasStep(state.flights, parent, ms) === true) count(kind, PARENT, false)
  else state.running.orphans.push({ kind, parent })
}

const countOrphans = ({ flights, running }: State, ms: number): void => {
  for (const { kind, parent } of running.orphans) {
    const isThere = hasStep(flights, parent, ms)
    if (isThere !== null) count(kind, PARENT, !isThere)
  }
}

const count = ({ score, applies, missing }: Kind, fact: number, isMissing: boolean): void => {
  countFact(score, fact, isMissing)
  applies[fact]! += 1
  if (isMissing) missing[fact]! += 1
}

/** Hands the minute's counts of a kind to the shares of its facts. */
const gatherKind = (
  { shares }: State,
  { words, slots, applies, missing }: Kind,
  ms: number
): void => {
  for (const [fact, name] of FACTS.entries()) {
    if (applies[fact] === 0) continue
    if (slots[fact] === NOT_ASKED) slots[fact] = shareSlot(shares, [...words, name], ms)
    gather(shares, slots[fact]!, { n: applies[fact]!, k: missing[fact]!, sums: NO_SUMS })
  }
  applies.fill(0)
  missing.fill(0)
}

const NO_SUMS = [0, 0, 0] as const

/** The score and the shares of steps that one emitter records for one tenant and agent. */
const kindOf = (state: State, columns: Columns, { row, ms }: { row: number; ms: number }): Kind => {
  const agent = agentOf(state.flights, columns.measures['trace']![row]!)
  const code = columns.series[row]! * AGENT_CODES + (agent - NO_AGENT)
  const known = state.kinds.get(code)
  if (known !== undefined && state.scores.get(known.score.key) === known.score) return known
  const [tenant, emitter] = columns.keys[columns.series[row]!]!
  const name = state.flights.agents[agent] ?? null
  const kind = {
    words: [tenant ?? null, emitter ?? null, name],
    score: scoreFor(state.scores, { emitter: emitter ?? null, agent: name }, ms),
    slots: new Int32Array(FACTS.length).fill(NOT_ASKED),
    applies: new Int32Array(FACTS.length),
    missing: new Int32Array(FACTS.length)
  }
  state.kinds.set(code, kind)
  return kind
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
