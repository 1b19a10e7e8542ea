import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { SEVERITIES } from '../../../schemas/finding.ts'
import type { Desk } from '../desk.ts'
import { evidenceFilters, evidenceSql } from '../evidence.ts'
import { Incident, readIncidents } from '../findings.ts'
import { sqlText } from '../literal.ts'
import { PanelResult, readPanel } from '../panel.ts'
import { HOUR_MS, rangeResult, RangeResult, readRange, type Range } from '../range.ts'
import { eventResult, EventResult, relationSql } from '../relation.ts'
import { lakeResult, LakeResult } from '../result.ts'
import { defineRoute } from '../route.ts'
import { readRunbook, runbookName } from '../runbooks.ts'
import { tableSql } from '../tables.ts'
import { Name } from '../tenant.ts'

/** As many calls as a person looks through for a pattern. */
const EVIDENCE_MAX = 20
export default defineRoute({
  method: 'get',
  path: '/v1/findings/{fingerprint}',
  summary: 'One incident: how it stands, its course, the series around it, evidence, runbook.',
  scope: 'read',
  params: z.strictObject({ fingerprint: Name }),
  result: z.strictObject({
    lake: LakeResult,
    finding: Incident,
    history: z
      .array(
        z.strictObject({
          detected_at: z.iso.datetime(),
          status: z.enum(['firing', 'resolved']),
          severity: z.enum(SEVERITIES),
          cost_usd_per_hour: z.string().nullable()
        })
      )
      .describe('Its findings, oldest first.'),
    range: RangeResult,
    change_at: z.iso.datetime().describe('Estimated change point; where the chart has its mark.'),
    series: PanelResult.nullable(),
    evidence: z.strictObject({
      events: z.array(EventResult),
      filters: z.array(z.string()).describe('What `filter` of /v1/events gives all of them for.'),
      sql: z.string()
    }),
    runbook: z.strictObject({ name: z.string(), markdown: z.string().nullable() })
  }),
  answer: async (desk, { fingerprint }) => {
    const [finding] = await readIncidents(desk, {
      where: `fingerprint = ${sqlText(fingerprint)}`,
      limit: 1
    })
    if (finding === undefined) throw new Failure('E_NOT_FOUND', 'there is no such incident')
    const range = rangeAround(desk, finding)
    const name = runbookName(finding.runbook)
    return {
      lake: lakeResult(desk),
      finding,
      history: await history(desk, fingerprint),
      range: rangeResult(range),
      change_at: finding.started_at,
      series: await readPanel(desk, { signal: finding.signal, range, first: finding.tenant }),
      evidence: await evidence(desk, finding),
      runbook: { name, markdown: await readRunbook(name) }
    }
  }
})

/** As long before the change as after it, an hour at least, so that both sides can be compared. */
const rangeAround = (desk: Desk, { started_at, detected_at }: Incident): Range => {
  const [startMs, endMs] = [Date.parse(started_at), Date.parse(detected_at)]
  const sideMs = Math.max(HOUR_MS, endMs - startMs)
  const from = new Date(startMs - sideMs).toISOString()
  const to = new Date(Math.min(endMs + sideMs / 2, desk.nowMs)).toISOString()
  return readRange({ from, to }, desk)
}

const history = async (desk: Desk, fingerprint: string) => {
  const rows = await desk.rows(`SELECT detected_at, status, severity, cost_usd_per_hour
    FROM (${await tableSql(desk, 'findings')}) WHERE fingerprint = ${sqlText(fingerprint)}
    ORDER BY sequence`)
  return rows.map((row) => ({
    detected_at: (row['detected_at'] as Date).toISOString(),
    status: row['status'] as 'firing' | 'resolved',
    severity: row['severity'] as (typeof SEVERITIES)[number],
    cost_usd_per_hour: row['cost_usd_per_hour'] as string | null
  }))
}

const evidence = async (desk: Desk, finding: Incident) => {
  const stretch = {
    fromMs: Date.parse(finding.started_at),
    toMs: Date.parse(finding.detected_at) + 1
  }
  const select = (from: string): string => evidenceSql(finding, from, EVIDENCE_MAX)
  const { rows } = await desk.table(select(`(${await relationSql(desk, 'events', stretch)})`))
  return {
    events: rows.map(eventResult),
    filters: evidenceFilters(finding),
    sql: select('events')
  }
}
