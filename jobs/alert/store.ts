import type { Finding } from '../../schemas/finding.ts'
import type { FindingRow, IncidentAction, Notice } from '../../schemas/incidents.ts'
import type { Entry } from './incidents/fold.ts'
import type { Coverage } from './incidents/no-data.ts'

/**
 * What the alert job needs of the lake, and nothing more. Reads see the newest commit or a later
 * one; all of them may be repeated. Two implementations pass `store.test.ts`.
 */
export type AlertStore = {
  /** State of the newest version. */
  state: () => Promise<ReadonlyMap<string, unknown>>
  /** Findings and actions with a sequence above `after`, in order, at most `limit` of them. */
  entries: (after: number, limit: number) => Promise<Entry[]>
  /** Rows of the outbox with a number above `after`, in order, at most `limit` of them. */
  notices: (after: number, limit: number) => Promise<Notice[]>
  /** Findings by sequence; one that does not exist is absent. */
  findings: (sequences: readonly number[]) => Promise<ReadonlyMap<number, Finding>>
  /** Who has sent data until when; empty when nothing is known. */
  coverage: () => Promise<Coverage[]>
  /** Event time up to which detection has folded everything; null when it never ran. */
  watermarkMs: () => Promise<number | null>
  /**
   * Makes one commit, durable once this resolves. `build` gets the state that the commit will
   * follow on and is called again when another writer came first; null = nothing to write.
   * @returns whether something was written.
   */
  commit: (build: (state: ReadonlyMap<string, unknown>) => AlertCommit | null) => Promise<boolean>
}

export type AlertCommit = {
  state: Readonly<Record<string, unknown>>
  findings?: readonly FindingRow[]
  actions?: readonly (IncidentAction & { sequence: number })[]
  notices?: readonly Notice[]
}
