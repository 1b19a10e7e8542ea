import type { Finding } from '../../../schemas/finding.ts'
import type { IncidentAction, Notice } from '../../../schemas/incidents.ts'
import { applyAction, expireMutes } from './action.ts'
import { budgetFindings, expireBudgets } from './budget.ts'
import { closeDraft, openDraft, type Draft, type FoldSettings } from './draft.ts'
import { applyFinding } from './finding.ts'
import type { FoldState } from './incident.ts'
import { forgetOld, releaseHeld } from './resolve.ts'
import { announceOpened, releaseWithheld } from './announce.ts'

/** One thing that happened, with its place in the order. */
export type Entry =
  | { sequence: number; finding: Finding }
  | { sequence: number; action: IncidentAction }

export type FoldInput = {
  /** Follow on `state.through`, in order, without holes. */
  entries: readonly Entry[]
  /** Whether these are all there are: only then do clocks beyond the entries count. */
  caughtUp: boolean
  /** Event time up to which data is complete; null = not known. */
  watermarkMs: number | null
  /** The clock on the wall. */
  clockMs: number
  generation: string
}

export type FoldOutput = {
  state: FoldState
  notices: Notice[]
  /** Findings about the alerts themselves; to be committed and numbered with the state. */
  findings: Finding[]
}

/**
 * The incident state machine: a pure function of what was, what happened and what time it is.
 * Committing its output in one piece makes it exact: a step that was not committed never was.
 */
export const foldIncidents = (
  state: FoldState,
  input: FoldInput,
  settings: FoldSettings
): FoldOutput => {
  const draft = openDraft(state, settings, input.clockMs)
  expireMutes(draft)
  expireBudgets(draft)
  let through = state.through
  for (const entry of input.entries) {
    applyEntry(draft, entry)
    through = entry.sequence
  }
  announceOpened(draft)
  if (input.caughtUp) advance(draft, input.watermarkMs ?? 0)
  const findings = input.caughtUp ? budgetFindings(draft, input.generation) : []
  return { state: closeDraft(draft, through), notices: draft.notices, findings }
}

const applyEntry = (draft: Draft, entry: Entry): void => {
  if ('finding' in entry) {
    const eventMs = Date.parse(entry.finding.detected_at)
    if (eventMs > draft.eventMs) advance(draft, eventMs)
    applyFinding(draft, entry.finding, entry.sequence)
  } else {
    applyAction(draft, entry.action)
  }
}

/** Event time moves on: what waited for it happens before what comes at it. */
const advance = (draft: Draft, eventMs: number): void => {
  announceOpened(draft)
  draft.eventMs = Math.max(draft.eventMs, eventMs)
  releaseHeld(draft)
  releaseWithheld(draft)
  forgetOld(draft)
}
