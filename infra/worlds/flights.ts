import { identityOf } from '../../services/signals/statistics/identity.ts'
import type { GrainRow } from './grain-rows.ts'
import { createRandom, type Random } from './random.ts'

/**
 * Flights of one agent: an agent step, model calls and tool calls under it. Facts are missing now
 * and then, more at some hours than at others; in some worlds one is lost from a minute on.
 */

export type FlightWorld = {
  name: string
  flightsPerMinute: number
  /** Usual share of tool results that are cut, and of steps whose parent never comes. */
  truncated: number
  orphaned: number
  /** How much more is cut at the peak of the day. */
  wave: number
}

export type FlightChange = { fact: 'result' | 'parent' | 'usage'; minute: number; share: number }

const MINUTES_PER_DAY = 1440

export const drawFlightWorlds = (count: number, seed: number): FlightWorld[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, index) => ({
    name: `t${index}`,
    flightsPerMinute: Math.min(10, Math.max(0.02, 0.5 * Math.exp(1.2 * random.normal()))),
    truncated: 0.15 * random.uniform() ** 2,
    orphaned: 0.05 * random.uniform() ** 3,
    wave: random.uniform()
  }))
}

export type FlightRun = {
  world: FlightWorld
  days: number
  change: FlightChange | null
  seed: number
}

/** Rows of flight-gaps' grain. */
export const playFlights = (
  { world, days, change, seed }: FlightRun,
  visit: (minute: number, rows: GrainRow[]) => void
): void => {
  const random = createRandom(seed)
  let flight = 0
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    const wave = Math.sin((2 * Math.PI * (minute % MINUTES_PER_DAY)) / MINUTES_PER_DAY)
    const flights = random.poisson(world.flightsPerMinute * Math.exp(0.6 * wave))
    if (flights === 0) continue
    const lost = change !== null && minute >= change.minute ? change : null
    const rows: GrainRow[] = []
    for (let n = 0; n < flights; n++) {
      rows.push(...flightRows({ world, random, wave, lost, minute }, `f${flight++}`))
    }
    visit(minute, rows)
  }
}

type Scene = {
  world: FlightWorld
  random: Random
  wave: number
  lost: FlightChange | null
  minute: number
}

const flightRows = ({ world, random, wave, lost, minute }: Scene, flight: string): GrainRow[] => {
  const share = (fact: FlightChange['fact'], usual: number): number =>
    lost?.fact === fact ? lost.share : usual * Math.exp(world.wave * wave)
  const happens = (chance: number): boolean => random.uniform() < chance
  const trace = identityOf(flight)
  const row = (span: string, parent: string | null, more: GrainRow): GrainRow => ({
    tenant: world.name,
    emitter: 'sdk/1',
    time_ms: minute * 60_000,
    trace,
    span: identityOf(flight, span),
    parent:
      parent === null
        ? null
        : identityOf(flight, happens(share('parent', world.orphaned)) ? 'gone' : parent),
    ...more
  })
  const rows = [row('a', null, { agent: 'planner' })]
  for (let call = random.geometric(0.4); call > 0; call--) {
    const usage = happens(share('usage', 0.005)) ? 0 : 1
    rows.push(row(`m${call}`, 'a', { version: 1, prompt: 1, temperature: 1, usage }))
    const result = happens(share('result', world.truncated)) ? 0 : 1
    rows.push(row(`t${call}`, `m${call}`, { result }))
  }
  return rows
}

/** The share of facts that lack, for other rules. */
export const missingShare = (rows: readonly GrainRow[]): number => {
  const facts = rows.flatMap(({ usage, result }) =>
    [usage, result].filter((one) => one !== undefined)
  )
  return facts.filter((one) => one === 0).length / Math.max(1, facts.length)
}
