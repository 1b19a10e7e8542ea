import type { Engine } from '../../lake/engine.ts'
import { sqlTime } from '../literal.ts'
import type { Cover } from './cover.ts'
import { HISTOGRAM_TYPE, HISTOGRAMS, quotedList, SUMS } from './columns.ts'
import { windowsOf } from './load.ts'
import { tableOf, type Rollup } from './rollups.ts'
import type { Span } from './spans.ts'

/**
 * Rows of one tenant, or of all where the engine is bound to none. The binding is a variable of
 * the engine, set before each answer: no text of a route can leave it out.
 */
export const BOUND = "(getvariable('tenant') IS NULL OR tenant = getvariable('tenant'))"

/** For relations without tenants: all rows, or none where the engine is bound to a tenant. */
const UNBOUND = "getvariable('tenant') IS NULL"

type Parts = {
  range: Span
  cover: Cover
  rollup: Rollup
  /** Files of settled windows in the stretches that are read in minutes. */
  files: readonly { location: string }[]
}

/** The parts of a range, each from where its cover says, and what is not settled yet. */
export const cellsSql = async (
  engine: Pick<Engine, 'rows'>,
  { range, cover, rollup, files }: Parts
): Promise<string> => {
  const bound = rollup.dimensions.includes('tenant') ? BOUND : UNBOUND
  const sums = quotedList(['window_start', ...rollup.dimensions, ...SUMS])
  const settled = `${sums}, ${quotedList(HISTOGRAMS)}, false AS provisional`
  const part = (from: string, spans: readonly Span[]): string[] =>
    spans.length === 0
      ? []
      : [`SELECT ${settled} FROM ${from} WHERE ${withinAny(spans)} AND ${bound}`]
  // Where there is no file, nothing is settled.
  const minutes = files.length === 0 ? null : `(${await windowsOf(engine, files)})`
  return [
    ...[...cover.blocks].flatMap(([name, spans]) => part(tableOf(rollup, name), spans)),
    ...(minutes === null ? [] : part(minutes, cover.minutes)),
    `SELECT ${sums}, ${MERGED}, true AS provisional FROM live.fresh WHERE ${withinAny([range])} AND ${bound}`
  ].join('\nUNION ALL ')
}

/** Flushes land histograms as lists of bins; here they become what settling writes. */
const MERGED = HISTOGRAMS.map(
  (name) => `list_aggregate("${name}", 'histogram')::${HISTOGRAM_TYPE} AS "${name}"`
).join(', ')

const withinAny = (spans: readonly Span[]): string => {
  const each = spans.map(
    ({ fromMs, toMs }) => `window_start >= ${sqlTime(fromMs)} AND window_start < ${sqlTime(toMs)}`
  )
  return each.length === 1 ? each[0]! : `(${each.map((one) => `(${one})`).join(' OR ')})`
}
