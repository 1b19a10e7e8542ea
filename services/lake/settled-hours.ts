import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { Head } from './commit.ts'

/**
 * An hour whose events were deduplicated exactly and whose windows were rebuilt from them, as the
 * lake's state keeps it under `hour/<start>`.
 */
export type SettledHour = {
  startMs: number
  /** Version of the lake whose rows it takes in: flushes after it are beyond. */
  through: number
  events: number
  duplicates: number
  conflicts: number
  /** Records that are witnesses of a call told by another record. */
  merged: number
  /** Rows of `disagreements`. */
  disagreements: number
  generation: string
  /** Offsets taken in, by `topic/partition`. */
  next: Readonly<Record<string, number>>
}

const PREFIX = 'hour/'

const Stored = z.object({
  through: z.int(),
  events: z.int(),
  duplicates: z.int(),
  conflicts: z.int(),
  merged: z.int().default(0),
  disagreements: z.int().default(0),
  generation: z.string(),
  next: z.record(z.string(), z.int())
})

export const hourKey = (startMs: number): string => `${PREFIX}${new Date(startMs).toISOString()}`

/** Settled hours, oldest first. */
export const settledHours = (head: Head): SettledHour[] =>
  [...head.state]
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, value]) => ({
      startMs: Date.parse(key.slice(PREFIX.length)),
      ...storedHour(key, value)
    }))
    .sort((a, b) => a.startMs - b.startMs)

const storedHour = (key: string, value: unknown): z.infer<typeof Stored> => {
  const hour = Stored.safeParse(value)
  if (hour.success && !Number.isNaN(Date.parse(key.slice(PREFIX.length)))) return hour.data
  throw new Failure('E_LAKE_CORRUPT', `the state ${key} is that of no settled hour`, {
    hint: 'Only the lake may write to the table ranges; restore it from a copy.'
  })
}
