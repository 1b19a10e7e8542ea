import { readFindings, type FindingView } from '../../jobs/alert/findings.ts'
import { Failure } from '../../schemas/failure.ts'
import type { Row } from '../lake/engine.ts'
import { runReadOnly } from '../lake/read-only.ts'
import { evidenceSql } from '../serve/evidence.ts'
import type { LakeSite } from './site.ts'

/** One incident for a terminal or a review: how it stands, its course, what it cost, calls behind it. */

export type IncidentReport = {
  finding: FindingView
  /** Oldest first. */
  course: Pick<FindingView, 'detected_at' | 'status' | 'severity' | 'cost_usd_per_hour'>[]
  /** What it cost from the change to the last look, at the rates found; null where one is not known. */
  cost_usd: string | null
  /** Calls since the change, newest first. */
  evidence: Row[]
}

/** @throws Failure E_NOT_FOUND */
export const readIncident = async (
  site: LakeSite,
  fingerprint: string,
  evidence: number
): Promise<IncidentReport> => {
  const all = await readFindings(site, { open: false })
  const course = all.filter((one) => one.fingerprint === fingerprint)
  const finding = course.at(-1)
  if (finding === undefined) {
    throw new Failure('E_NOT_FOUND', `there is no incident ${JSON.stringify(fingerprint)}`, {
      hint: '`tally findings --open --json` has the fingerprints of what is open.'
    })
  }
  // Reading findings has attached the tables.
  const { rows } = await runReadOnly(site, evidenceSql(finding, 'events', evidence))
  return {
    finding,
    course: course.map(({ detected_at, status, severity, cost_usd_per_hour }) => ({
      detected_at,
      status,
      severity,
      cost_usd_per_hour
    })),
    cost_usd: costUsd(course),
    evidence: rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
    )
  }
}

const HOUR_MS = 3_600_000
/** A small one costs parts of a cent. */
const USD_DIGITS = 4

/** Each look's rate holds for the time before it; the one that resolves says no rate of its own. */
export const costUsd = (course: readonly FindingView[]): string | null => {
  let total = 0
  let fromMs = Date.parse(course[0]?.started_at ?? '')
  let rate: number | null = null
  for (const { detected_at, status, cost_usd_per_hour } of course) {
    if (status === 'firing') rate = cost_usd_per_hour === null ? null : Number(cost_usd_per_hour)
    if (rate === null) return null
    const toMs = Date.parse(detected_at)
    total += (rate * Math.max(0, toMs - fromMs)) / HOUR_MS
    fromMs = toMs
  }
  return total.toFixed(USD_DIGITS)
}

/** Columns of calls that people look for first. */
const COLUMNS = [
  'time',
  'tenant',
  'kind',
  'name',
  'response_model',
  'in_total',
  'in_cache_read',
  'out_total',
  'duration_ms',
  'status',
  'id'
]

/** For a review after the incident. */
export const incidentMarkdown = ({ finding, course, cost_usd, evidence }: IncidentReport): string =>
  [
    `# ${finding.signal}: ${finding.tenant ?? 'fleet'}`,
    finding.summary,
    [
      `- fingerprint: ${finding.fingerprint}`,
      `- status: ${finding.status}, ${finding.severity}`,
      `- since: ${finding.started_at}, found at ${course[0]?.detected_at ?? ''}`,
      `- axis: ${finding.axis ?? 'none'}; scope: ${JSON.stringify(finding.scope)}`,
      `- costs more an hour: ${finding.cost_usd_per_hour ?? 'not priced'} USD`,
      `- cost from the change to the last look: ${cost_usd ?? 'not priced'} USD`,
      `- runbook: ${finding.runbook}`
    ].join('\n'),
    `## Before and after\n\n${figures(finding)}`,
    whom('Culprit', finding.culprit === null ? [] : [finding.culprit]),
    whom('Victims', finding.victims),
    whom('Contributors', finding.contributors),
    `## Course\n\n${table(['looked at', 'status', 'severity', 'USD an hour'], course.map(Object.values))}`,
    ...(evidence.length === 0
      ? []
      : [
          `## Calls since the change\n\n${table(
            COLUMNS,
            evidence.map((row) => COLUMNS.map((name) => row[name]))
          )}`
        ]),
    `## Query\n\n\`\`\`sql\n${finding.query}\n\`\`\``
  ].join('\n\n') + '\n'

const figures = ({ before, after }: FindingView): string => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return table(
    ['figure', 'before', 'after'],
    names.map((name) => [name, before[name], after[name]])
  )
}

const whom = (title: string, rows: readonly FindingView['victims'][number][]): string => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const text = table(
    names,
    rows.map((row) => names.map((name) => row[name]))
  )
  return `## ${title}\n\n${rows.length === 0 ? 'None.' : text}`
}

const table = (heads: readonly string[], rows: readonly (readonly unknown[])[]): string =>
  [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')

const line = (cells: readonly unknown[]): string => `| ${cells.map(cell).join(' | ')} |`

/** A bar would end the cell, and a line of its own the table. */
const cell = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')
}
