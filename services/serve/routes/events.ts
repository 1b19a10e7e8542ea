import { z } from 'zod'
import { NextCursor, PageQuery, readCursor, writeCursor } from '../cursor.ts'
import type { Desk } from '../desk.ts'
import { eventResult, EventResult, relationSql, type Stretch } from '../relation.ts'
import { EVENT_FILTERS, FilterQuery, filterSql } from '../filter.ts'
import { allOf } from '../literal.ts'
import { HOUR_MS, RangeQuery, rangeResult, RangeResult, readRange, withinSql } from '../range.ts'
import { lakeResult, LakeResult } from '../result.ts'
import { defineRoute } from '../route.ts'
import { asTenant, TenantQuery } from '../tenant.ts'

/** Where a page ended: time in microseconds, then the place in the log. */
const Position = z.strictObject({ us: z.int(), p: z.int(), o: z.int() })
type Position = z.infer<typeof Position>

export default defineRoute({
  method: 'get',
  path: '/v1/events',
  summary: 'Events of a range, newest first.',
  scope: 'read',
  query: z.strictObject({
    ...RangeQuery,
    ...TenantQuery,
    ...FilterQuery,
    failed: z
      .enum(['true', 'false'])
      .optional()
      .describe('Only calls that failed, or that did not.'),
    ...PageQuery
  }),
  result: z.strictObject({
    lake: LakeResult,
    range: RangeResult,
    events: z.array(EventResult),
    next: NextCursor,
    sql: z.string()
  }),
  answer: async (desk, input) => {
    const range = readRange(input, desk)
    const position = readCursor(input.cursor, Position)
    const failed = '(status >= 400 OR error_type IS NOT NULL) IS NOT DISTINCT FROM true'
    const where = allOf(
      withinSql(range, 'time'),
      ...asTenant(desk, input.tenant),
      ...filterSql(input.filter, EVENT_FILTERS),
      ...(input.failed === undefined ? [] : [input.failed === 'true' ? failed : `NOT (${failed})`])
    )
    const rows = await newest(desk, range, { where, limit: input.limit + 1, position })
    const page = rows.slice(0, input.limit)
    const last = page.at(-1)
    return {
      lake: lakeResult(desk),
      range: rangeResult(range),
      events: page.map(({ event }) => event),
      next: rows.length > page.length && last !== undefined ? writeCursor(last.position) : null,
      sql: `SELECT * FROM events\nWHERE ${where}\nORDER BY time DESC LIMIT ${input.limit}`
    }
  }
})

type Wanted = { where: string; limit: number; position: Position | null }
type Found = { event: z.infer<typeof EventResult>; position: Position }

/** Looks back from the end in growing stretches: the newest rows are in the newest files. */
const newest = async (desk: Desk, range: Stretch, wanted: Wanted): Promise<Found[]> => {
  const found: Found[] = []
  const { position } = wanted
  let toMs =
    position === null ? range.toMs : Math.min(range.toMs, Math.floor(position.us / 1000) + 1)
  for (let lengthMs = HOUR_MS; toMs > range.fromMs && found.length < wanted.limit; lengthMs *= 4) {
    const fromMs = Math.max(range.fromMs, toMs - lengthMs)
    found.push(
      ...(await page(desk, { fromMs, toMs }, { ...wanted, limit: wanted.limit - found.length }))
    )
    toMs = fromMs
  }
  return found
}

const page = async (
  desk: Desk,
  stretch: Stretch,
  { where, limit, position }: Wanted
): Promise<Found[]> => {
  const after =
    position === null
      ? 'true'
      : `(epoch_us(time), "partition", "offset") < (${position.us}, ${position.p}, ${position.o})`
  const { rows } = await desk.table(`SELECT *, epoch_us(time) AS _us
    FROM (${await relationSql(desk, 'events', stretch)}) WHERE ${where} AND ${after}
    ORDER BY time DESC, "partition" DESC, "offset" DESC LIMIT ${limit}`)
  return rows.map(({ _us, ...row }) => ({
    event: eventResult(row),
    position: { us: Number(_us), p: Number(row['partition']), o: Number(row['offset']) }
  }))
}
