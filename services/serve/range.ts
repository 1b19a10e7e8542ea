import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import { sqlTime } from './literal.ts'

/** Which time a question is about. */

const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Up to this length a question is answered about minutes, beyond about whole hours. */
export const MINUTES_RANGE_MS_MAX = 6 * HOUR_MS
/** Longer than any lake keeps its events at hand. */
const RANGE_MS_MAX = 3660 * DAY_MS
const DEFAULT_MS = DAY_MS

const Time = z.iso.datetime({ offset: true, error: 'give a time as 2026-03-02T09:00:00Z' })

/** Query parameters of every question about a stretch of time. */
export const RangeQuery = {
  from: Time.optional().describe('Start, RFC 3339. Default: a day before `to`.'),
  to: Time.optional().describe(
    'End, RFC 3339, not included. Default: now, or the end of the data where that is older.'
  ),
  last: z
    .string()
    .regex(
      /^[1-9]\d{0,4}[mhdw]$/,
      'give a length in minutes, hours, days or weeks, as 15m, 6h, 30d'
    )
    .optional()
    .describe('Length instead of `from`: 15m, 6h, 30d, 4w.')
}

export type RangeInput = {
  from?: string | undefined
  to?: string | undefined
  last?: string | undefined
}

export const GRAINS = ['minute', 'hour'] as const
export type Grain = (typeof GRAINS)[number]

/** A stretch [from, to) in the grain in which it is answered; ends lie on that grain. */
export type Range = { fromMs: number; toMs: number; grain: Grain }

export const RangeResult = z.strictObject({
  from: Time,
  to: Time,
  grain: z
    .enum(GRAINS)
    .describe('Where its ends lie: on minutes up to six hours, on whole hours beyond.')
})

export const rangeResult = ({ fromMs, toMs, grain }: Range): z.infer<typeof RangeResult> => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
  grain
})

const UNITS_MS: Readonly<Record<string, number>> = {
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS
}

/** @throws Failure E_USAGE when the ends are in the wrong order or too far apart. */
export const readRange = (
  { from, to, last }: RangeInput,
  { nowMs, dataUntilMs }: { nowMs: number; dataUntilMs: number | null }
): Range => {
  const toMs = to === undefined ? defaultEnd(nowMs, dataUntilMs) : Date.parse(to)
  const lastMs =
    last === undefined ? DEFAULT_MS : Number(last.slice(0, -1)) * UNITS_MS[last.at(-1)!]!
  const fromMs = from === undefined ? toMs - lastMs : Date.parse(from)
  if (from !== undefined && last !== undefined) {
    throw new Failure('E_USAGE', 'both from and last are given', { hint: 'Give one of them.' })
  }
  const lengthMs = toMs - fromMs
  if (lengthMs <= 0 || lengthMs > RANGE_MS_MAX) {
    throw new Failure('E_USAGE', `from ${iso(fromMs)} to ${iso(toMs)} is no range`, {
      hint: 'Give a from before to, at most ten years apart.'
    })
  }
  const grain = lengthMs <= MINUTES_RANGE_MS_MAX ? 'minute' : 'hour'
  const unitMs = grain === 'minute' ? MINUTE_MS : HOUR_MS
  return {
    fromMs: Math.floor(fromMs / unitMs) * unitMs,
    toMs: Math.ceil(toMs / unitMs) * unitMs,
    grain
  }
}

/** Where the data ended an hour or more ago, its end says more than an empty stretch until now. */
const defaultEnd = (nowMs: number, dataUntilMs: number | null): number =>
  dataUntilMs !== null && dataUntilMs < nowMs - HOUR_MS
    ? Math.floor(dataUntilMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS
    : Math.floor(nowMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS

const iso = (ms: number): string =>
  Number.isNaN(new Date(ms).getTime()) ? String(ms) : new Date(ms).toISOString()

/** The range as a condition over a column of time, as people may run it. */
export const withinSql = (
  { fromMs, toMs }: Pick<Range, 'fromMs' | 'toMs'>,
  column: string
): string => `${column} >= ${sqlTime(fromMs)} AND ${column} < ${sqlTime(toMs)}`
