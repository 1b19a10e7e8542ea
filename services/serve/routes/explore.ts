import { z } from 'zod'
import { EXPLORE_DIMENSIONS } from '../cube/dimensions.ts'
import { MEASURES } from '../cube/measures.ts'
import type { Desk } from '../desk.ts'
import {
  groupsSql,
  readGroups,
  readPoints,
  seriesSql,
  type Cut,
  type Found,
  type Group
} from '../explore.ts'
import { FilterQuery, filterSql, listOf } from '../filter.ts'
import { sqlText } from '../literal.ts'
import { RangeQuery, rangeResult, RangeResult, readRange, type Range } from '../range.ts'
import { lakeResult, LakeResult } from '../result.ts'
import { defineRoute } from '../route.ts'
import { readInSteps, stepOf } from '../steps.ts'
import { asTenant, TenantQuery } from '../tenant.ts'

/** What fits side by side in a table. */
const MEASURES_MAX = 12
/** Deeper cuts have more groups than anybody reads. */
const DIMENSIONS_MAX = 4
const GROUPS_MAX = 1000
const GROUPS_DEFAULT = 20
/** Lines that a chart can show apart. */
const LINES_MAX = 20

const STEPS = [
  'none',
  'auto',
  '60',
  '300',
  '900',
  '3600',
  '10800',
  '21600',
  '86400',
  '604800'
] as const

const Values = z.record(z.string(), z.number().nullable())
const Key = z.record(z.string(), z.string().nullable())

export default defineRoute({
  method: 'get',
  path: '/v1/explore',
  summary: 'Any measures by any dimensions over a range, with a series by time if asked for.',
  scope: 'read',
  query: z.strictObject({
    measures: listOf(
      MEASURES.map(({ id }) => id),
      MEASURES_MAX
    ).default(['cost_usd', 'calls']),
    by: listOf(
      EXPLORE_DIMENSIONS.map(({ id }) => id),
      DIMENSIONS_MAX
    ).default([]),
    step: z
      .enum(STEPS)
      .default('none')
      .describe(
        'Length of a step of the series in seconds; `auto` follows the stretch that has calls.'
      ),
    limit: z.coerce.number().int().min(1).max(GROUPS_MAX).default(GROUPS_DEFAULT),
    ...RangeQuery,
    ...TenantQuery,
    ...FilterQuery
  }),
  result: z.strictObject({
    lake: LakeResult,
    range: RangeResult,
    groups: z
      .array(z.strictObject({ key: Key, values: Values }))
      .describe('Largest first by the first measure.'),
    more: z.boolean().describe('Whether there are more groups than `limit`.'),
    total: Values.describe('The same measures over everything, groups beyond `limit` included.'),
    series: z
      .strictObject({
        step_s: z.int(),
        time: z.array(z.int()).describe('Start of each step, seconds since the epoch.'),
        groups: z.array(
          z.strictObject({ key: Key, values: z.record(z.string(), z.array(z.number().nullable())) })
        )
      })
      .nullable(),
    sql: z.string().describe('Queries that give this answer; `windows` is the view of the lake.')
  }),
  answer: async (desk, input) => {
    const range = readRange(input, desk)
    const where = [...asTenant(desk, input.tenant), ...filterSql(input.filter)]
    const cut: Cut = {
      range,
      measures: [...new Set(input.measures.length === 0 ? ['calls'] : input.measures)],
      by: [...new Set(input.by)],
      where
    }
    const sql = groupsSql(cut, input.limit + 1)
    const { groups: found, total } = await readGroups(desk, cut, input.limit + 1)
    const groups = found.slice(0, input.limit).map(({ key, values }) => ({ key, values }))
    const isWhole = found.length <= Math.min(input.limit, LINES_MAX)
    const lines = isWhole ? cut : narrowed(cut, groups.slice(0, LINES_MAX))
    const steps = input.step === 'none' ? null : await readSteps(desk, lines, input.step)
    return {
      lake: lakeResult(desk),
      range: rangeResult(range),
      groups,
      more: found.length > input.limit,
      total,
      series: steps === null ? null : seriesOf(steps, cut, groups),
      sql:
        steps === null
          ? sql
          : `${sql};\n\n${seriesSql({ ...lines, range: steps.range }, steps.stepS)}`
    }
  }
})

/** A chart wider than this has fewer pixels than points. */
const POINTS_MAX = 1500

/** The cut down to the groups that get a line. */
const narrowed = (cut: Cut, groups: readonly Group[]): Cut => {
  if (cut.by.length === 0 || groups.length === 0) return cut
  const each = cut.by.map((id) => oneOf(id, groups))
  // Dimension by dimension is quick, and lets combinations of others through.
  const combined = cut.by.length === 1 ? [] : [combinationOf(cut.by, groups)]
  return { ...cut, where: [...cut.where, ...each, ...combined] }
}

const sqlOf = (id: string): string => EXPLORE_DIMENSIONS.find((one) => one.id === id)!.sql

const oneOf = (id: string, groups: readonly Group[]): string => {
  const values = [...new Set(groups.map(({ key }) => key[id] ?? null))]
  const texts = values.filter((value) => value !== null).map(sqlText)
  const known = texts.length === 0 ? [] : [`${sqlOf(id)} IN (${texts.join(', ')})`]
  return `(${[...known, ...(values.includes(null) ? [`${sqlOf(id)} IS NULL`] : [])].join(' OR ')})`
}

/** As structures, whose fields are equal where both are null, and which are looked up at once. */
const combinationOf = (by: readonly string[], groups: readonly Group[]): string => {
  const packed = (valueOf: (id: string) => string): string =>
    `{${by.map((id) => `'${id}': ${valueOf(id)}`).join(', ')}}`
  const known = groups.map(({ key }) =>
    packed((id) => (key[id] == null ? 'NULL::VARCHAR' : sqlText(key[id])))
  )
  return `${packed(sqlOf)} IN (${known.join(', ')})`
}

type Steps = { range: Range; stepS: number; points: Found[] }

/** As told; steps with more points than a chart can show are longer. */
const readSteps = async (
  desk: Desk,
  cut: Cut,
  step: Exclude<(typeof STEPS)[number], 'none'>
): Promise<Steps> => {
  const { range } = cut
  const read = (within: Range, stepS: number): Promise<Found[]> =>
    readPoints(desk, { ...cut, range: within }, stepS)
  if (step === 'auto') return readInSteps(desk, range, { read, startS: ({ timeS }) => timeS! })
  const stepS = Math.max(Number(step), stepOf(desk, range, POINTS_MAX))
  return { range, stepS, points: await read(range, stepS) }
}

const seriesOf = ({ stepS, points }: Steps, cut: Cut, groups: readonly Group[]) => {
  const time = [...new Set(points.map(({ timeS }) => timeS!))]
  const at = new Map(time.map((one, index) => [one, index]))
  const lines = new Map(
    (cut.by.length === 0 ? [{ key: {} }] : groups.slice(0, LINES_MAX)).map(({ key }) => [
      JSON.stringify(key),
      {
        key,
        values: Object.fromEntries(
          cut.measures.map((id) => [id, Array<number | null>(time.length).fill(null)])
        )
      }
    ])
  )
  for (const { key, values, timeS } of points) {
    const line = lines.get(JSON.stringify(key))
    const index = at.get(timeS!)!
    for (const id of cut.measures)
      if (line !== undefined) line.values[id]![index] = values[id] ?? null
  }
  return { step_s: stepS, time, groups: [...lines.values()] }
}
