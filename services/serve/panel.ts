import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Desk } from './desk.ts'
import type { Range } from './range.ts'
import { relationSql, type ViewName } from './relation.ts'
import { count, numberOf, textOf } from './result.ts'

/** The figure of a signal as a series: `panel.sql` of its folder yields window_start, series, value. */

const signals = new URL('../signals/', import.meta.url)
const ID = /^[a-z\d][a-z\d-]{0,99}$/
/** Lines that a chart can show apart. */
const LINES_MAX = 12

export const PanelResult = z.strictObject({
  plots: z.string().describe('What the lines show, with its unit last: hit_rate_pct.'),
  time: z.array(z.int()).describe('Seconds since the epoch.'),
  lines: z.array(z.strictObject({ name: z.string(), values: z.array(z.number().nullable()) })),
  sql: z.string()
})

/** A signal's panel over a range, the line named `first` before others; null without a panel. */
export const readPanel = async (
  desk: Desk,
  { signal, range, first }: { signal: string; range: Range; first: string | null }
): Promise<z.infer<typeof PanelResult> | null> => {
  const sql = ID.test(signal)
    ? await readFile(new URL(`${signal}/panel.sql`, signals), 'utf8').catch(() => null)
    : null
  if (sql === null) return null
  const views = await viewsOf(desk, sql, range)
  const rows = await desk.windows(range, `${views}${withoutOrder(sql)}`)
  const plots = Object.keys(rows[0] ?? {}).at(-1) ?? ''
  const points = rows.map((row) => ({
    time: Math.round((row['window_start'] as Date).getTime() / 1000),
    name: textOf(row['series']) ?? '',
    value: numberOf(row[plots])
  }))
  const time = [...new Set(points.map((point) => point.time))].sort((a, b) => a - b)
  const sizes = new Map<string, number>()
  for (const { name } of points) sizes.set(name, count(sizes.get(name)) + 1)
  const rank = (name: string): number => (name === first ? Infinity : (sizes.get(name) ?? 0))
  const names = [...sizes.keys()].sort((a, b) => rank(b) - rank(a)).slice(0, LINES_MAX)
  const lines = names.map((name) => {
    const values = new Map(
      points.filter((one) => one.name === name).map((one) => [one.time, one.value])
    )
    return { name, values: time.map((at) => values.get(at) ?? null) }
  })
  return { plots, time, lines, sql: sql.trim() }
}

const withoutOrder = (sql: string): string => sql.trim().replace(/;\s*$/, '')

/** Panels may read events and prefixes too; `windows` is there already. */
const viewsOf = async (desk: Desk, sql: string, range: Range): Promise<string> => {
  const names = (['events', 'prefixes'] as const satisfies readonly ViewName[]).filter((name) =>
    new RegExp(`\\b(FROM|JOIN)\\s+${name}\\b`, 'i').test(sql)
  )
  const views = await Promise.all(
    names.map(async (name) => `${name} AS (${await relationSql(desk, name, range)})`)
  )
  return views.length === 0 ? '' : `, ${views.join(', ')}\n`
}
