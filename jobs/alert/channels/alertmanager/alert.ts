import type { Finding } from '../../../../schemas/finding.ts'
import type { Standing } from '../../channel.ts'
import { cutText } from '../../text-cut.ts'

/**
 * An alert of Alertmanager's API v2. Its labels are its identity: all strings, and only what stays
 * the same for as long as the incident lives. What changes goes into annotations.
 */
export type Alert = {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt: string
  generatorURL?: string
}

/** Labels and annotations longer than this are of no use in a message and a burden in memory. */
const TEXT_LENGTH_MAX = 2_000

/**
 * The alert of an incident, and one that ends it under each severity it had before: routes page
 * by severity, so it belongs to the identity, and what got worse is another alert.
 */
export const alertsOf = (
  standing: Standing,
  extra: Readonly<Record<string, string>>,
  believedUntilMs: number
): Alert[] => {
  const { severity, severitiesEnded, status, changedClockMs } = standing
  const isOver = status === 'resolved'
  const current = alertOf(
    standing,
    { ...extra, severity },
    isOver ? changedClockMs : believedUntilMs
  )
  const ended = severitiesEnded.map((former) =>
    alertOf(standing, { ...extra, severity: former }, changedClockMs)
  )
  return [current, ...ended]
}

const alertOf = (
  standing: Standing,
  extra: Readonly<Record<string, string>>,
  endMs: number
): Alert => {
  const { finding, links } = standing
  return {
    labels: labelsOf(standing, extra),
    annotations: annotationsOf(standing),
    startsAt: startOf(finding, endMs),
    endsAt: new Date(endMs).toISOString(),
    ...(links.page === null ? {} : { generatorURL: links.page })
  }
}

/** Alertmanager refuses alerts that end before they start. */
const startOf = (finding: Finding, endMs: number): string =>
  new Date(Math.min(Date.parse(finding.started_at), endMs)).toISOString()

/** `cache-thrash` → `TallyCacheThrash`, as rules name alerts. */
const alertName = (signal: string): string =>
  `Tally${signal.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}`

const labelsOf = (
  { signal, fingerprint, tenant }: Standing,
  extra: Readonly<Record<string, string>>
): Record<string, string> => ({
  ...extra,
  alertname: alertName(signal),
  signal,
  fingerprint,
  ...(tenant === null ? {} : { tenant })
})

const annotationsOf = ({ finding, status, links }: Standing): Record<string, string> => {
  const entries: [string, string | null][] = [
    ['summary', finding.summary],
    ['description', describe(finding)],
    ['status', status],
    ['axis', finding.axis],
    ['cost_usd_per_hour', finding.cost_usd_per_hour],
    ['runbook_url', links.runbook ?? finding.runbook],
    ['dashboard_url', links.page],
    ['query', finding.query],
    ...Object.entries(finding.scope).map(([key, value]): [string, string] => [
      `scope_${key}`,
      value
    ])
  ]
  const known = entries.filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries(
    known.map(([name, value]) => [nameOf(name), cutText(value, TEXT_LENGTH_MAX)])
  )
}

const nameOf = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_]/g, '_')

const describe = (finding: Finding): string => {
  const parts = [`Since ${finding.started_at}.`]
  const figures = (title: string, values: Finding['before']): void => {
    const pairs = Object.entries(values).map(([name, value]) => `${name} ${value}`)
    if (pairs.length > 0) parts.push(`${title}: ${pairs.join(', ')}.`)
  }
  figures('Before', finding.before)
  figures('Now', finding.after)
  if (finding.culprit !== null) figures('Culprit', finding.culprit)
  if (finding.victims.length > 0) parts.push(`Victims: ${finding.victims.length}.`)
  return parts.join('\n')
}
