import { z } from 'zod'
import { Finding } from '../../schemas/finding.ts'
import type { Row } from '../lake/engine.ts'
import { tableSql } from './tables.ts'
import type { Desk } from './desk.ts'
import { textOf } from './result.ts'
import { tenantsIn, withoutNames } from './without-names.ts'

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
  const others = rows.length === 0 ? [] : await otherTenants(desk)
  return rows.map((row) => incidentOf(row, desk.access.tenant, others))
}

/** Everybody whom who asks may not hear of. */
const otherTenants = async ({ access, rows }: Desk): Promise<string[]> => {
  if (access.tenant === null) return []
  const seen = await rows(
    'SELECT tenant FROM cube.tenant_hours UNION SELECT tenant FROM cube.tenant_days UNION SELECT tenant FROM live.fresh'
  )
  return seen.flatMap((row) => textOf(row['tenant']) ?? []).filter((name) => name !== access.tenant)
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

const incidentOf = (row: Row, own: string | null, others: readonly string[]): Incident => {
  const finding = Finding.parse(JSON.parse(String(row['finding'])))
  // Those that the finding is about may be of hours that have not been read yet.
  const named = own === null ? [] : tenantsIn(finding, own)
  return {
    ...withoutNames(finding, [...new Set([...others, ...named])]),
    sequence: Number(row['sequence']),
    opened_at: (row['opened_at'] as Date).toISOString(),
    findings: Number(row['findings'])
  }
}
