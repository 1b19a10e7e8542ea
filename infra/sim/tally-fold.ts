import type { DetectState } from '../../jobs/detect/fold.ts'
import type { LakeRange, OpenFold } from '../../jobs/detect/fold-memory.ts'
import type { Finding } from '../../schemas/finding.ts'
import { minuteOf, type EventRow } from './memory-encoder.ts'
import type { TableReader } from './rows.ts'

/**
 * A fold that finds something in every minute, and in it tells all that it ever folded: whatever is
 * folded twice, left out or forgotten shows in each finding that follows.
 */

/** Two signals, whose states are written at different times. */
export const TALLIES = ['tally-a', 'tally-b'] as const

const MINUTE_MS = 60_000

type Tally = { minutes: number; tokens: number }
export type Told = Tally & { version: number }

/** What a finding tells. */
export const toldBy = ({ summary }: Pick<Finding, 'summary'>): Told => JSON.parse(summary) as Told

/** The minutes of a stretch that have rows, oldest first, and their tokens. */
export const minutesOf = (
  rows: readonly EventRow[],
  { fromMs, untilMs }: Pick<LakeRange, 'fromMs' | 'untilMs'>
): [number, number][] => {
  const minutes = new Map<number, number>()
  for (const { timeMs, tokens } of rows) {
    if (timeMs < fromMs || timeMs >= untilMs) continue
    minutes.set(minuteOf(timeMs), (minutes.get(minuteOf(timeMs)) ?? 0) + tokens)
  }
  return [...minutes].sort(([a], [b]) => a - b)
}

export const openTally = (reader: TableReader, state?: DetectState): OpenFold => {
  const tallies = new Map<string, Tally & { untilMs: number }>()
  for (const id of TALLIES) {
    const saved = state?.signals[id]
    const tally: Tally =
      saved === undefined
        ? { minutes: 0, tokens: 0 }
        : (JSON.parse(Buffer.from(saved).toString()) as Tally)
    const untilMs =
      state?.behind?.[id] ?? (saved === undefined ? -Infinity : state?.foldedUntilMs) ?? -Infinity
    tallies.set(id, { ...tally, untilMs })
  }
  return {
    fold: async ({ head, fromMs, untilMs }) => {
      const found: Finding[] = []
      const minutes = minutesOf(await reader.visible(head), { fromMs, untilMs })
      for (const [startMs, tokens] of minutes) {
        for (const [id, tally] of tallies) {
          // A signal whose state is newer has folded this already.
          if (tally.untilMs > fromMs) continue
          tally.minutes += 1
          tally.tokens += tokens
          const told = { minutes: tally.minutes, tokens: tally.tokens, version: head.version }
          found.push(findingOf(id, startMs, told))
        }
      }
      for (const tally of tallies.values()) tally.untilMs = Math.max(tally.untilMs, untilMs)
      return found
    },
    saveSignal: (id) => {
      const { minutes, tokens } = tallies.get(id)!
      return Buffer.from(JSON.stringify({ minutes, tokens }))
    }
  }
}

export const findingOf = (signal: string, startMs: number, told: Told): Finding => ({
  signal,
  fingerprint: `${signal}@${startMs}`,
  status: 'firing',
  severity: 'info',
  tenant: 'acme',
  scope: {},
  axis: null,
  started_at: new Date(startMs).toISOString(),
  detected_at: new Date(startMs + MINUTE_MS).toISOString(),
  summary: JSON.stringify(told),
  before: {},
  after: {},
  cost_usd_per_hour: null,
  culprit: null,
  victims: [],
  contributors: [],
  runbook: '',
  query: '',
  generation: 'sim'
})
