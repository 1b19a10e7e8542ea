import {
  clearIdentities,
  createIdentityMap,
  fromIdentityPairs,
  getIdentity,
  identityPairs,
  setIdentity,
  type IdentityMap
} from '../statistics/identity-map.ts'
import type { Part } from '../statistics/state-parts.ts'

/**
 * Steps seen lately, so that a child finds its parent and its flight's agent. Two generations of
 * hashes: what is asked for moves to the young one, and the old one is dropped after half an hour,
 * or when the young one is full.
 */

export type Flights = {
  /** Hash of trace and span → 1; hash of a trace → index of its agent's name + 2. In 53 bits two of a
      million steps collide once in 10,000 such sets, and hide one gap. */
  young: IdentityMap
  old: IdentityMap
  agents: string[]
  rotatedMs: number
  /** Until then a parent may have been forgotten, or come before we began. */
  blindUntilMs: number
}

/** Steps of a generation: half an hour of 1,000 steps a minute, 2 MB. */
const GENERATION_MAX = 30_000
const GENERATION_MS = 1_800_000
/** Agents by name; a fleet has tens. */
const AGENTS_MAX = 2_000
/** Agents, and none. */
export const AGENT_CODES = AGENTS_MAX + 1
const SPAN = 1

export const createFlights = (): Flights => ({
  young: createIdentityMap(),
  old: createIdentityMap(),
  agents: [],
  rotatedMs: 0,
  blindUntilMs: Infinity
})

export const beginFlights = (flights: Flights, ms: number): void => {
  if (flights.blindUntilMs === Infinity) flights.blindUntilMs = ms + GENERATION_MS
  const isFull = flights.young.size > GENERATION_MAX
  if (!isFull && ms - flights.rotatedMs < GENERATION_MS) return
  if (isFull && ms - flights.rotatedMs < GENERATION_MS) flights.blindUntilMs = ms + GENERATION_MS
  const { young, old } = flights
  clearIdentities(old)
  flights.old = young
  flights.young = old
  flights.rotatedMs = ms
}

export const seeStep = ({ young }: Flights, span: number): void => {
  setIdentity(young, span, SPAN)
}

/** The first agent of a trace is the flight's; later ones are its helpers. */
export const seeAgent = (flights: Flights, trace: number, name: string): void => {
  if (look(flights, trace) !== undefined) return
  let index = flights.agents.indexOf(name)
  if (index < 0 && flights.agents.length < AGENTS_MAX) index = flights.agents.push(name) - 1
  if (index >= 0) setIdentity(flights.young, trace, index + 2)
}

const look = ({ young, old }: Flights, hash: number): number | undefined => {
  const known = getIdentity(young, hash)
  if (known !== undefined) return known
  const value = getIdentity(old, hash)
  if (value !== undefined) setIdentity(young, hash, value)
  return value
}

/** Index of the name of a trace's agent; NO_AGENT where it has none. */
export const agentOf = (flights: Flights, trace: number): number =>
  (look(flights, trace) ?? NO_AGENT + 2) - 2

export const NO_AGENT = -1

/** Whether a parent was seen; null while that can not be known. */
export const hasStep = (flights: Flights, span: number, ms: number): boolean | null =>
  look(flights, span) !== undefined ? true : ms < flights.blindUntilMs ? null : false

type SavedFlights = Pick<Flights, 'agents' | 'rotatedMs'> & { blindUntilMs: number | null }

/** Both generations as pairs of hash and value; JSON has no Infinity. */
export const flightsPart: Part<Flights> = {
  save: ({ young, old, agents, rotatedMs, blindUntilMs }) => ({
    json: {
      agents,
      rotatedMs,
      blindUntilMs: blindUntilMs === Infinity ? null : blindUntilMs
    } satisfies SavedFlights,
    arrays: [young, old].map(identityPairs)
  }),
  restore: (json, arrays) => {
    const { agents, rotatedMs, blindUntilMs } = json as SavedFlights
    const [young, old] = arrays.splice(0, 2)
    return {
      young: fromIdentityPairs(young!),
      old: fromIdentityPairs(old!),
      agents,
      rotatedMs,
      blindUntilMs: blindUntilMs ?? Infinity
    }
  }
}
