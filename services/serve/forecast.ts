import { z } from 'zod'
import { DAY_MS } from './range.ts'

/** What a month will have cost at its end. */

export const ForecastResult = z
  .strictObject({
    mid_usd: z.number(),
    low_usd: z.number(),
    high_usd: z.number(),
    days_seen: z.int(),
    method: z.string()
  })
  .describe('Cost of the whole month with an 80 % interval.')

export type Forecast = z.infer<typeof ForecastResult>

/** Fewer days say nothing about how days differ. */
const DAYS_MIN = 3
/** Two-sided 80 % of the normal distribution. */
const Z_80 = 1.2816

/**
 * The cost so far, and for each day that is left the mean of the last whole days. The interval
 * takes both the spread of single days and the error of the mean; days are taken as independent,
 * so a trend or a one-off makes it too narrow.
 */
export const forecast = (
  soFarUsd: number,
  days: readonly number[],
  daysLeft: number
): Forecast | null => {
  if (days.length < DAYS_MIN) return null
  const mean = days.reduce((sum, cost) => sum + cost, 0) / days.length
  const variance = days.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / (days.length - 1)
  const spread = Z_80 * Math.sqrt(variance * (daysLeft + daysLeft ** 2 / days.length))
  const mid = soFarUsd + mean * daysLeft
  return {
    mid_usd: mid,
    low_usd: Math.max(soFarUsd, mid - spread),
    high_usd: mid + spread,
    days_seen: days.length,
    method: 'cost to date plus the mean of the last whole days for each day left'
  }
}

/**
 * The costs of the days of a stretch, from the first one with any: a day without cost is one too.
 * @param costs dollars by the start of the day, in milliseconds
 */
export const everyDay = (
  costs: ReadonlyMap<number, number>,
  { fromMs, toMs }: { fromMs: number; toMs: number }
): number[] => {
  const firstMs = Math.max(fromMs, Math.min(...costs.keys()))
  const days = Math.max(0, Math.ceil((toMs - firstMs) / DAY_MS))
  return Array.from({ length: days }, (_, index) => costs.get(firstMs + index * DAY_MS) ?? 0)
}
