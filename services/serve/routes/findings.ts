import { z } from 'zod'
import { SEVERITIES } from '../../../schemas/finding.ts'
import { NextCursor, PageQuery, readCursor, writeCursor } from '../cursor.ts'
import { Incident, readIncidents } from '../findings.ts'
import { allOf, sqlText } from '../literal.ts'
import { lakeResult, LakeResult } from '../result.ts'
import { defineRoute } from '../route.ts'
import { asTenant, Name, TenantQuery } from '../tenant.ts'

const Position = z.strictObject({ before: z.int() })

export default defineRoute({
  method: 'get',
  path: '/v1/findings',
  summary: 'Incidents, newest first, each as its newest finding tells it.',
  scope: 'read',
  query: z.strictObject({
    status: z.enum(['firing', 'resolved']).optional(),
    severity: z.enum(SEVERITIES).optional(),
    signal: Name.optional(),
    ...TenantQuery,
    ...PageQuery
  }),
  result: z.strictObject({ lake: LakeResult, findings: z.array(Incident), next: NextCursor }),
  answer: async (desk, { status, severity, signal, tenant, limit, cursor }) => {
    const position = readCursor(cursor, Position)
    const equals = Object.entries({ status, severity, signal }).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} = ${sqlText(value)}`]
    )
    const after = position === null ? [] : [`sequence < ${position.before}`]
    const where = allOf(...asTenant(desk, tenant), ...equals, ...after)
    const found = await readIncidents(desk, { where, limit: limit + 1 })
    const findings = found.slice(0, limit)
    const last = findings.at(-1)
    const hasMore = found.length > limit && last !== undefined
    return {
      lake: lakeResult(desk),
      findings,
      next: hasMore ? writeCursor({ before: last.sequence }) : null
    }
  }
})
