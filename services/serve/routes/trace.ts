import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import type { Row } from '../../lake/engine.ts'
import type { Desk } from '../desk.ts'
import { sqlText } from '../literal.ts'
import { DAY_MS, HOUR_MS } from '../range.ts'
import { eventResult, EventResult, relationSql, type Stretch } from '../relation.ts'
import { count, lakeResult, LakeResult, textOf, Usd, usdOf } from '../result.ts'
import { defineRoute } from '../route.ts'
import { Name } from '../tenant.ts'
import { Node, traceTree, type Step } from '../trace-tree.ts'

/** A page draws no more; a trace that is longer says so. */
const EVENTS_MAX = 5000

export default defineRoute({
  method: 'get',
  path: '/v1/traces/{id}',
  summary: 'The steps of a trace and how they called each other.',
  scope: 'read',
  params: z.strictObject({ id: Name }),
  query: z.strictObject({
    at: z.iso
      .datetime({ offset: true })
      .optional()
      .describe('A time of the trace: a day around it is looked through, and not all there is.')
  }),
  result: z.strictObject({
    lake: LakeResult,
    trace_id: z.string(),
    started_at: z.iso.datetime(),
    duration_ms: z.number(),
    cost_usd: Usd.nullable(),
    events: z.array(EventResult).describe('By start.'),
    nodes: z.array(Node).describe('In the order of a walk: callers before callees.'),
    truncated: z.boolean(),
    sql: z.string()
  }),
  answer: async (desk, { id, at }) => {
    const rows = await find(desk, id, at)
    if (rows.length === 0) throw new Failure('E_NOT_FOUND', 'there is no such trace')
    const shown = rows.slice(0, EVENTS_MAX)
    const steps = shown.map(stepOf)
    const startMs = Math.min(...steps.map((step) => step.startMs))
    const endMs = Math.max(
      ...shown.map((row, index) => steps[index]!.startMs + count(row['duration_ms']))
    )
    const cost = shown.reduce(
      (sum, row) => sum + BigInt((row['cost_pico'] ?? 0) as string | number),
      0n
    )
    const isPriced = shown.some((row) => row['cost_pico'] !== null)
    return {
      lake: lakeResult(desk),
      trace_id: id,
      started_at: new Date(startMs).toISOString(),
      duration_ms: endMs - startMs,
      cost_usd: isPriced ? usdOf(cost) : null,
      events: shown.map(eventResult),
      nodes: traceTree(steps),
      truncated: rows.length > shown.length,
      sql: `SELECT * FROM events WHERE trace_id = ${sqlText(id)} ORDER BY time`
    }
  }
})

/** Looks back from the end of the data in growing stretches, then around what was found. */
const find = async (desk: Desk, id: string, at: string | undefined): Promise<Row[]> => {
  const around = (fromMs: number, toMs: number): Stretch => ({
    fromMs: fromMs - DAY_MS,
    toMs: toMs + DAY_MS
  })
  if (at !== undefined) return read(desk, id, around(Date.parse(at), Date.parse(at)))
  const firstMs = firstTime(desk)
  let toMs = (desk.dataUntilMs ?? desk.nowMs) + DAY_MS
  for (let lengthMs = DAY_MS + HOUR_MS; toMs > firstMs; lengthMs *= 4) {
    const fromMs = toMs - lengthMs
    const rows = await read(desk, id, { fromMs, toMs })
    const times = rows.map((row) => Date.parse(String(row['time'] as string)))
    if (rows.length > 0) return read(desk, id, around(Math.min(...times), Math.max(...times)))
    toMs = fromMs
  }
  return []
}

const firstTime = (desk: Desk): number => {
  const files = (['events_settled', 'events_raw'] as const).flatMap((table) => [
    ...(desk.head.files.get(table)?.values() ?? [])
  ])
  return Math.min(desk.nowMs, ...files.map(({ timeUsMin }) => (timeUsMin ?? 0) / 1000))
}

const read = async (desk: Desk, id: string, stretch: Stretch): Promise<Row[]> => {
  const { rows } = await desk.table(`SELECT * FROM (${await relationSql(desk, 'events', stretch)})
    WHERE trace_id = ${sqlText(id)} ORDER BY time, "partition", "offset" LIMIT ${EVENTS_MAX + 1}`)
  return rows
}

const stepOf = (row: Row): Step => ({
  span_id: textOf(row['span_id']),
  parent_span_id: textOf(row['parent_span_id']),
  operation_id: textOf(row['operation_id']),
  attempt: row['attempt'] === null ? null : count(row['attempt']),
  kind: textOf(row['kind']) ?? '',
  name: textOf(row['name']),
  startMs: Date.parse(String(row['time'] as string))
})
