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
/** A stretch of event time and the version of the lake that it was read from. */
export type Part = { fromMs: number; untilMs: number; version: number }
/** Parts: all that was read since the minute before was folded. */
export type Told = Tally & { parts: readonly Part[] }

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

/** What is not saved: until when it folded, and the minutes that are not whole. */
type Running = { untilMs: number; parts: Part[]; open: Map<number, number> }

export const openTally = (reader: TableReader, state?: DetectState): OpenFold => {
  const tallies = new Map<string, Tally & Running>()
  for (const id of TALLIES) {
    const saved = state?.signals[id]
    const tally: Tally =
      saved === undefined
        ? { minutes: 0, tokens: 0 }
        : (JSON.parse(Buffer.from(saved).toString()) as Tally)
    const untilMs =
      state?.behind?.[id] ?? (saved === undefined ? -Infinity : state?.foldedUntilMs) ?? -Infinity
    tallies.set(id, { ...tally, untilMs, parts: [], open: new Map() })
  }
  return {
    fold: async ({ head, fromMs, untilMs }) => {
      const found: Finding[] = []
      const minutes = minutesOf(await reader.visible(head), { fromMs, untilMs })
      for (const [id, tally] of tallies) {
        // A signal whose state is newer has folded this already.
        if (tally.untilMs > fromMs) continue
        tally.untilMs = untilMs
        tally.parts.push({ fromMs, untilMs, version: head.version })
        for (const [startMs, tokens] of minutes) {
          tally.open.set(startMs, (tally.open.get(startMs) ?? 0) + tokens)
        }
        if (untilMs % MINUTE_MS !== 0) continue
        found.push(...closeAll(id, tally))
      }
      return found.sort((a, b) => a.started_at.localeCompare(b.started_at))
    },
    saveSignal: (id) => {
      const { minutes, tokens } = tallies.get(id)!
      return Buffer.from(JSON.stringify({ minutes, tokens }))
    }
  }
}

const closeAll = (id: string, tally: Tally & Running): Finding[] => {
  const { parts, open } = tally
  Object.assign(tally, { parts: [], open: new Map() })
  return [...open].map(([startMs, tokens]) => {
    tally.minutes += 1
    tally.tokens += tokens
    return findingOf(id, startMs, { minutes: tally.minutes, tokens: tally.tokens, parts })
  })
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
