import { z } from 'zod'
import type { Range } from './range.ts'

/** Calendar months in UTC. */

export const MonthName = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'a month is written 2026-03')
  .describe('Month, YYYY-MM, UTC.')

export const monthAt = (ms: number): string => new Date(ms).toISOString().slice(0, 7)

export const monthRange = (name: string): Range => {
  const [year = 0, month = 1] = name.split('-').map(Number)
  return { fromMs: Date.UTC(year, month - 1), toMs: Date.UTC(year, month), grain: 'hour' }
}
