import { z } from 'zod'

/** Refused notices that a channel remembers in full; the count goes on beyond them. */
const PARKED_MAX = 100

export const Parked = z.strictObject({
  number: z.int(),
  id: z.string(),
  fingerprint: z.string(),
  at: z.iso.datetime(),
  reason: z.string()
})
export type Parked = z.infer<typeof Parked>

/** How far a channel is: one number, since it tells notices in order. */
export const LaneState = z.strictObject({
  /** Notices up to this number are told, parked, or were not meant to be told. */
  delivered: z.int(),
  parked: z.array(Parked),
  parkedTotal: z.int()
})
export type LaneState = z.infer<typeof LaneState>

const PREFIX = 'alert/channel/'

/** State key of the lake for a channel of the configuration, by its name. */
export const laneKey = (name: string): string => `${PREFIX}${name}`

/** Null for a channel that was never registered. */
export const readLane = (state: ReadonlyMap<string, unknown>, name: string): LaneState | null => {
  const value = state.get(laneKey(name))
  return value === undefined || value === null ? null : LaneState.parse(value)
}

export const advanceLane = (
  lane: LaneState,
  delivered: number,
  parked: readonly Parked[]
): LaneState => ({
  delivered: Math.max(lane.delivered, delivered),
  parked: [...lane.parked, ...parked].slice(-PARKED_MAX),
  parkedTotal: lane.parkedTotal + parked.length
})
