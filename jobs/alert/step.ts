import { Failure } from '../../schemas/failure.ts'
import { nextSequence, numberFindings } from '../../schemas/incidents.ts'
import type { FoldSettings } from './incidents/draft.ts'
import { foldIncidents, type Entry, type FoldOutput } from './incidents/fold.ts'
import { EMPTY_FOLD, FoldState, isFiring } from './incidents/incident.ts'
import { NO_DATA_SIGNAL, findSilence, type Coverage } from './incidents/no-data.ts'
import type { AlertCommit, AlertStore } from './store.ts'

/** State key of the lake that holds the fold. */
export const FOLD_KEY = 'alert/fold'

/** Findings folded by one commit: bounds its size; a backlog takes several. */
const ENTRIES_MAX = 1_000

export type StepOptions = {
  settings: FoldSettings
  generation: string
  clock: () => Date
  /** Whether silence is judged: not where old data is replayed, since it ends long ago. */
  watchSilence: boolean
}

export type StepReport = { entries: number; notices: number }

export const readFold = (state: ReadonlyMap<string, unknown>): FoldState => {
  const value = state.get(FOLD_KEY)
  return value === undefined || value === null ? EMPTY_FOLD : FoldState.parse(value)
}

/**
 * Folds what happened since the last commit. The incidents, the notices about them and the place
 * in the order go into one commit, so a kill at any point leaves either all of it or nothing.
 */
export const stepFold = async (store: AlertStore, options: StepOptions): Promise<StepReport> => {
  const total: StepReport = { entries: 0, notices: 0 }
  const seen = await readSurroundings(store, options)
  for (;;) {
    const report = await stepOnce(store, seen, options)
    if (report === null) return total
    total.entries += report.entries
    total.notices += report.notices
  }
}

/** One commit; null when there was nothing to do. */
const stepOnce = async (
  store: AlertStore,
  { coverage, watermarkMs }: Surroundings,
  options: StepOptions
): Promise<StepReport | null> => {
  const { through } = readFold(await store.state())
  const entries = await store.entries(through, ENTRIES_MAX)
  let report: StepReport | null = null
  const committed = await store.commit((state) => {
    report = null
    const fold = readFold(state)
    // Another process folded meanwhile: what was read is not what comes next.
    if (fold.through !== through) return null
    checkOrder(through, entries)
    const last = through + entries.length
    const caughtUp = nextSequence(state) === last + 1
    const input = { entries, caughtUp, watermarkMs, clockMs: options.clock().getTime() }
    const output = foldIncidents(
      fold,
      { ...input, generation: options.generation },
      options.settings
    )
    if (caughtUp) output.findings.push(...silence(output, coverage, { ...input, options }))
    if (entries.length + output.notices.length + output.findings.length === 0) return null
    report = { entries: entries.length, notices: output.notices.length }
    return commitOf(state, output)
  })
  return committed ? report : null
}

/** What is around the incidents; read once, since it asks the tables and not just the state. */
type Surroundings = { coverage: readonly Coverage[]; watermarkMs: number | null }

const readSurroundings = async (
  store: AlertStore,
  { watchSilence }: StepOptions
): Promise<Surroundings> => ({
  coverage: watchSilence ? await store.coverage() : [],
  watermarkMs: await store.watermarkMs()
})

/** A hole in the order would be a lost alert. */
const checkOrder = (through: number, entries: readonly Entry[]): void => {
  entries.forEach(({ sequence }, index) => {
    if (sequence === through + 1 + index) return
    throw new Failure(
      'E_LAKE_CORRUPT',
      `Finding ${through + 1 + index} is missing: ${sequence} follows`,
      {
        hint: 'Restore the files of the table findings from a backup.'
      }
    )
  })
}

type Clocks = { clockMs: number; watermarkMs: number | null; options: StepOptions }

const silence = (
  { state }: FoldOutput,
  coverage: readonly Coverage[],
  { clockMs, watermarkMs, options }: Clocks
) => {
  const open = state.incidents.filter(
    (incident) => incident.signal === NO_DATA_SIGNAL && isFiring(incident)
  )
  return findSilence({
    coverage,
    watermarkMs,
    clockMs,
    open: new Set(open.map(({ fingerprint }) => fingerprint)),
    generation: options.generation
  })
}

const commitOf = (state: ReadonlyMap<string, unknown>, output: FoldOutput): AlertCommit => {
  const numbered = numberFindings(state, output.findings)
  return {
    state: { ...(output.findings.length > 0 ? numbered.state : {}), [FOLD_KEY]: output.state },
    findings: numbered.rows,
    notices: output.notices
  }
}
