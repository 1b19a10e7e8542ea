import { Finding } from '../../schemas/finding.ts'
import type { Notice } from '../../schemas/incidents.ts'
import type { Entry } from './incidents/fold.ts'
import type { Coverage } from './incidents/no-data.ts'
import type { AlertCommit, AlertStore } from './store.ts'

/** A store that lives as long as the process: for backtests, trials and tests. */
export type MemoryStore = AlertStore & {
  /** Everything committed so far, oldest first. */
  readonly commits: readonly AlertCommit[]
  setCoverage: (coverage: readonly Coverage[], watermarkMs: number | null) => void
}

export const openMemoryStore = (): MemoryStore => {
  const state = new Map<string, unknown>()
  const entries: Entry[] = []
  const notices: Notice[] = []
  const commits: AlertCommit[] = []
  let known: { coverage: readonly Coverage[]; watermarkMs: number | null } = {
    coverage: [],
    watermarkMs: null
  }
  return {
    commits,
    setCoverage: (coverage, watermarkMs) => {
      known = { coverage, watermarkMs }
    },
    state: () => Promise.resolve(new Map(state)),
    entries: (after, limit) => Promise.resolve(entries.slice(after, after + limit)),
    notices: (after, limit) => Promise.resolve(notices.slice(after, after + limit)),
    findings: (sequences) => Promise.resolve(pickFindings(entries, sequences)),
    coverage: () => Promise.resolve([...known.coverage]),
    watermarkMs: () => Promise.resolve(known.watermarkMs),
    // Async so that what the build throws comes as a rejection, like from the lake.
    commit: async (build) => {
      const commit = build(new Map(state))
      if (commit === null) return false
      commits.push(commit)
      for (const [key, value] of Object.entries(commit.state)) state.set(key, value)
      entries.push(...entriesOf(commit))
      notices.push(...(commit.notices ?? []))
      return true
    }
  }
}

/** Findings and actions of a commit, in order. */
const entriesOf = (commit: AlertCommit): Entry[] => {
  const findings = (commit.findings ?? []).map(({ sequence, finding }) => ({
    sequence,
    finding: Finding.parse(JSON.parse(finding))
  }))
  const actions = (commit.actions ?? []).map(({ sequence, ...action }) => ({ sequence, action }))
  return [...findings, ...actions].sort((a, b) => a.sequence - b.sequence)
}

const pickFindings = (
  entries: readonly Entry[],
  sequences: readonly number[]
): Map<number, Finding> => {
  const wanted = new Set(sequences)
  const found = new Map<number, Finding>()
  for (const entry of entries) {
    if ('finding' in entry && wanted.has(entry.sequence)) found.set(entry.sequence, entry.finding)
  }
  return found
}
