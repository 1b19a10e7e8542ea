/**
 * Steps seen lately, so that a child finds its parent and its flight's agent. Two generations of
 * hashes: what is asked for moves to the young one, and the old one is dropped after half an hour,
 * or when the young one is full.
 */

export type Flights = {
  /** Hash of trace and span → 1; hash of a trace → index of its agent's name + 2. */
  young: Map<number, number>
  old: Map<number, number>
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
const SPAN = 1

export const createFlights = (): Flights => ({
  young: new Map(),
  old: new Map(),
  agents: [],
  rotatedMs: 0,
  blindUntilMs: Infinity
})

const key = (trace: string, span: string): number => {
  let high = 0x811c9dc5
  let low = 0x9e3779b9
  const text = `${trace}\u001f${span}`
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low + code, 0x85ebca6b) ^ (low >>> 13)
  }
  // 53 bits: two of a million steps collide once in a thousand such sets, and hide one gap.
  return (high >>> 0) * 0x20_0000 + ((low >>> 0) & 0x1f_ffff)
}

export const beginMinute = (flights: Flights, ms: number): void => {
  if (flights.blindUntilMs === Infinity) flights.blindUntilMs = ms + GENERATION_MS
  const isFull = flights.young.size > GENERATION_MAX
  if (!isFull && ms - flights.rotatedMs < GENERATION_MS) return
  if (isFull && ms - flights.rotatedMs < GENERATION_MS) flights.blindUntilMs = ms + GENERATION_MS
  flights.old = flights.young
  flights.young = new Map()
  flights.rotatedMs = ms
}

export const seeStep = ({ young }: Flights, trace: string, span: string): void => {
  young.set(key(trace, span), SPAN)
}

/** The first agent of a trace is the flight's; later ones are its helpers. */
export const seeAgent = (flights: Flights, trace: string, name: string): void => {
  if (look(flights, key(trace, '')) !== undefined) return
  let index = flights.agents.indexOf(name)
  if (index < 0 && flights.agents.length < AGENTS_MAX) index = flights.agents.push(name) - 1
  if (index >= 0) flights.young.set(key(trace, ''), index + 2)
}

const look = ({ young, old }: Flights, hash: number): number | undefined => {
  const value = young.get(hash) ?? old.get(hash)
  if (value !== undefined) young.set(hash, value)
  return value
}

export const agentOf = (flights: Flights, trace: string): string | null => {
  const value = look(flights, key(trace, ''))
  return value === undefined ? null : (flights.agents[value - 2] ?? null)
}

/** Whether a parent was seen; null while that can not be known. */
export const hasStep = (flights: Flights, trace: string, span: string, ms: number) =>
  look(flights, key(trace, span)) !== undefined ? true : ms < flights.blindUntilMs ? null : false

export type SavedFlights = Pick<Flights, 'agents' | 'rotatedMs'> & { blindUntilMs: number | null }

export const saveFlights = ({ agents, rotatedMs, blindUntilMs }: Flights): SavedFlights => ({
  agents,
  rotatedMs,
  blindUntilMs: blindUntilMs === Infinity ? null : blindUntilMs
})

/** Both generations, as pairs of hash and value. */
export const flightArrays = ({ young, old }: Flights): Float64Array[] =>
  [young, old].map((generation) => Float64Array.from([...generation].flat()))

export const restoreFlights = (
  { agents, rotatedMs, blindUntilMs }: SavedFlights,
  arrays: readonly ArrayLike<number>[]
): Flights => {
  const [young, old] = arrays.map(pairs)
  return {
    young: young ?? new Map(),
    old: old ?? new Map(),
    agents,
    rotatedMs,
    blindUntilMs: blindUntilMs ?? Infinity
  }
}

const pairs = (array: ArrayLike<number>): Map<number, number> => {
  const map = new Map<number, number>()
  for (let i = 0; i < array.length; i += 2) map.set(array[i]!, array[i + 1]!)
  return map
}
