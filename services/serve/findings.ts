import { z } from 'zod'
import { Finding } from '../../schemas/finding.ts'
import type { Row } from '../lake/engine.ts'
import type { Access } from './access.ts'
import { tableSql } from './tables.ts'
import type { Desk } from './desk.ts'

/** Incidents: the findings of one fingerprint, of which the newest says how it stands. */

export const Incident = Finding.extend({
  sequence: z.int().describe('Place of the newest finding among all findings.'),
  opened_at: z.iso.datetime().describe('When it was detected first.'),
  findings: z.int().describe('How many findings there are of it.')
})
export type Incident = z.infer<typeof Incident>

/** Incidents that one may see, newest first; `where` narrows the newest findings. */
export const readIncidents = async (
  desk: Desk,
  { where = 'true', limit }: { where?: string; limit: number }
): Promise<Incident[]> => {
  const rows = await desk.rows(`${await incidentsSql(desk)}
    SELECT * FROM incidents WHERE ${where} ORDER BY sequence DESC LIMIT ${limit}`)
  return rows.map((row) => incidentOf(row, desk.access))
}

/** `WITH incidents AS …`: one row an incident, with what its newest finding says. */
export const incidentsSql = async (desk: Desk): Promise<string> =>
  `WITH incidents AS (
    SELECT fingerprint, signal, status, severity, tenant, axis, started_at, detected_at, finding,
      sequence::DOUBLE AS sequence, min(detected_at) OVER one AS opened_at,
      count(*) OVER one::DOUBLE AS findings
    FROM (${await tableSql(desk, 'findings')})
    WINDOW one AS (PARTITION BY fingerprint)
    QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY sequence DESC) = 1
  )`

const incidentOf = (row: Row, access: Access): Incident => {
  const finding = Finding.parse(JSON.parse(String(row['finding'])))
  return {
    ...forReader(finding, access),
    sequence: Number(row['sequence']),
    opened_at: (row['opened_at'] as Date).toISOString(),
    findings: Number(row['findings'])
  }
}

/**
 * A finding about one tenant may name others: who pushed it out of a cache, who suffers too. Who
 * may see one tenant alone is told how many they are, and not who.
 */
export const forReader = (finding: Finding, { tenant }: Access): Finding => {
  if (tenant === null) return finding
  const isOthers = (figures: Record<string, unknown> | null): boolean =>
    figures !== null && typeof figures['tenant'] === 'string' && figures['tenant'] !== tenant
  const all = [finding.culprit, ...finding.victims, ...finding.contributors]
  const others = new Set(all.filter(isOthers).map((figures) => String(figures!['tenant'])))
  const anonymous = (text: string): string =>
    [...others]
      .sort((a, b) => b.length - a.length)
      .reduce((changed, name) => changed.replaceAll(name, 'another tenant'), text)
  return {
    ...finding,
    summary: anonymous(finding.summary),
    query: anonymous(finding.query),
    culprit: isOthers(finding.culprit) ? { tenant: 'another tenant' } : finding.culprit,
    victims: finding.victims.filter((one) => !isOthers(one)),
    contributors: finding.contributors.filter((one) => !isOthers(one))
  }
}
