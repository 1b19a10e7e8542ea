import type { Finding } from '../../../schemas/finding.ts'

/**
 * Silence is a finding of its own. A detector that gets no windows says nothing, and nothing must
 * not look like recovery: the finding says that data is missing, and while it is open no incident
 * that it covers resolves. Each tenant is measured by its own habits, since a tenant that sleeps
 * at night is not broken.
 */

export const NO_DATA_SIGNAL = 'no-data'

/** What is known of a tenant's windows over its last week with data (`coverage.sql`). */
export type Coverage = {
  /** null = all tenants together. */
  tenant: string | null
  /** End of its latest window; milliseconds since the epoch. */
  lastMs: number
  /** The longest time between two windows. */
  gapMsMax: number
  /** Minutes with data. */
  windows: number
}

/** Below an hour silence is how small tenants work. */
const SILENCE_MS_MIN = 3_600_000
/** Silence must be twice as long as the longest of the week: weekends vary, but not that much. */
const GAP_RATIO = 2
/** As for the detectors: before 20 minutes with data nothing is known of a tenant's habits. */
const WINDOWS_MIN = 20

export type SilenceInput = {
  coverage: readonly Coverage[]
  /** Event time up to which data is complete: what tenants are measured against. */
  watermarkMs: number | null
  /** The wall clock: what the whole is measured against, since a stalled log moves no watermark. */
  clockMs: number
  /** Fingerprints of the no-data incidents that are open. */
  open: ReadonlySet<string>
  generation: string
}

/** Findings for who fell silent, and for who speaks again. */
export const findSilence = (input: SilenceInput): Finding[] => {
  const findings: Finding[] = []
  for (const coverage of input.coverage) {
    const nowMs = coverage.tenant === null ? input.clockMs : input.watermarkMs
    if (nowMs === null) continue
    const silent = isSilent(coverage, nowMs)
    if (silent === input.open.has(fingerprintOf(coverage.tenant))) continue
    findings.push(describeSilence(coverage, { nowMs, silent, generation: input.generation }))
  }
  return findings
}

const isSilent = ({ lastMs, gapMsMax, windows }: Coverage, nowMs: number): boolean =>
  windows >= WINDOWS_MIN && nowMs - lastMs > Math.max(SILENCE_MS_MIN, GAP_RATIO * gapMsMax)

const fingerprintOf = (tenant: string | null): string =>
  tenant === null ? NO_DATA_SIGNAL : `${NO_DATA_SIGNAL}/${tenant}`

type Stand = { nowMs: number; silent: boolean; generation: string }

const describeSilence = (coverage: Coverage, { nowMs, silent, generation }: Stand): Finding => {
  const who = coverage.tenant === null ? 'Nobody' : `Tenant ${coverage.tenant}`
  const minutes = Math.round((nowMs - coverage.lastMs) / 60_000)
  const gapMinutes = Math.round(coverage.gapMsMax / 60_000)
  const tense = coverage.tenant === null ? 'has' : 'has not'
  return {
    signal: NO_DATA_SIGNAL,
    fingerprint: fingerprintOf(coverage.tenant),
    status: silent ? 'firing' : 'resolved',
    severity: 'warning',
    tenant: coverage.tenant,
    scope: {},
    axis: 'client',
    started_at: new Date(coverage.lastMs).toISOString(),
    detected_at: new Date(nowMs).toISOString(),
    summary: silent
      ? `${who} ${tense} sent any event for ${minutes} minutes; the longest silence of the week was ${gapMinutes}.`
      : `${coverage.tenant === null ? 'Events arrive' : `${who} sends events`} again.`,
    before: { silence_minutes_max: gapMinutes },
    after: { silence_minutes: minutes },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: [],
    runbook: 'jobs/alert/runbooks/no-data.md',
    query: silenceQuery(coverage.tenant),
    generation
  }
}

const silenceQuery = (tenant: string | null): string => {
  const where = tenant === null ? '' : ` WHERE tenant = '${tenant.replaceAll("'", "''")}'`
  return `SELECT max(window_start) FROM windows${where}`
}
