import signal from '../../services/signals/cache-thrash/signal.ts'
import type { Mechanism } from '../../services/signals/cache-thrash/cause.ts'
import type { Draft } from '../../services/signals/define.ts'
import {
  CHANGE_MINUTE,
  drawWorld,
  SHIFTS,
  type CulpritWorld,
  type Shift
} from '../worlds/culprit.ts'
import { playWorld, type Truth } from '../worlds/culprit-truth.ts'
import {
  TRACE_CHANGE_MINUTE,
  TRACE_SHIFTS,
  traceIncidents,
  type TraceRow,
  type TraceShift
} from '../worlds/mooncake.ts'
import type { Served } from '../worlds/prefix-cache.ts'
import { servedMinutes } from '../worlds/served-minutes.ts'

/** Who is named, when, and who is told as a victim; and whether quiet nights stay quiet. */

export type CulpritBlock = { firstSeed: number; incidents: number }

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000
/** Others must lose this share of all tokens, or it is no incident. */
const HARM_MIN = 0.05
/** Seeds tried per incident wanted, before giving up. */
const TRIES = 40
const TENANT = (index: number): string => `t${index}`

const foldServed = (served: readonly Served[]): Draft[] => {
  const fold = signal.open()
  const naming = { startMs: START_MS, tenant: TENANT, cachePool: 'pool', blockTokens: 1024 }
  return servedMinutes(served, naming).flatMap((minute) => fold.fold(minute))
}

const minutesInto = (draft: Draft): number => (Date.parse(draft.detected_at) - START_MS) / MINUTE_MS

type Tally = {
  incidents: number
  rightAt10: number
  rightAt20: number
  namedWrong: number
  early: number
  delays: number[]
  told: number
  toldRight: number
  victims: number
  /** Namings of the right culprit that say how its prompts changed, and how many say it right. */
  explained: number
  explainedRight: number
}

const emptyTally = (): Tally => ({
  incidents: 0,
  rightAt10: 0,
  rightAt20: 0,
  namedWrong: 0,
  early: 0,
  delays: [],
  told: 0,
  toldRight: 0,
  victims: 0,
  explained: 0,
  explainedRight: 0
})

/** What happened: who did it, in which way, at which minute, and who lost. */
type Happened = {
  culprits: readonly string[]
  victims: readonly string[]
  mechanism: Mechanism
  changeMinute: number
}

/** What each shift is in the words of findings. */
const MECHANISM_OF: Readonly<Record<Shift | TraceShift, Mechanism>> = {
  uuid_head: 'own-prefix-broke-early',
  rag_before_history: 'own-prefix-broke-mid-prompt',
  long_agent_context: 'own-prefix-broke-mid-prompt',
  rate_x5: 'own-volume-grew',
  rate_x4: 'own-volume-grew'
}

const count = (tally: Tally, happened: Happened, drafts: readonly Draft[]): void => {
  const { culprits, changeMinute } = happened
  const after = (draft: Draft): number => minutesInto(draft) - changeMinute
  const named = drafts.filter(({ culprit }) => culprit !== null)
  const right = named.filter(({ culprit }) => culprits.includes(String(culprit?.['tenant'])))
  const first = right.map(after)[0] ?? Infinity
  const isFirst = named[0] === right[0]
  tally.incidents += 1
  tally.early += drafts.some((draft) => after(draft) <= 0) ? 1 : 0
  tally.rightAt10 += isFirst && first <= 10 ? 1 : 0
  tally.rightAt20 += isFirst && first <= 20 ? 1 : 0
  tally.namedWrong += named.length > right.length ? 1 : 0
  tally.delays.push(first)
  countMechanism(tally, happened, right)
  countVictims(tally, happened, drafts)
}

const countMechanism = (tally: Tally, { mechanism }: Happened, right: readonly Draft[]): void => {
  const said = right.map(({ culprit, after }) => culprit?.['mechanism'] ?? after['mechanism'])
  const own = said.find((one) => String(one).startsWith('own-'))
  if (own === undefined) return
  tally.explained += 1
  tally.explainedRight += own === mechanism ? 1 : 0
}

const countVictims = (tally: Tally, happened: Happened, drafts: readonly Draft[]): void => {
  const told = drafts.findLast(({ scope }) => scope['level'] === 'pool')?.victims ?? []
  tally.told += told.length
  tally.toldRight += told.filter((victim) =>
    happened.victims.includes(String(victim['tenant']))
  ).length
  tally.victims += happened.victims.length
}

/** One Markdown row per shift, for worlds with one culprit or two. */
export const scoreCulprits = (block: CulpritBlock, culprits = 1): string[] =>
  SHIFTS.map((shift) => {
    const tally = emptyTally()
    const last = block.firstSeed + block.incidents * TRIES
    for (let seed = block.firstSeed; tally.incidents < block.incidents && seed < last; seed++) {
      const truth = playWorld(drawWorld(seed, shift, culprits))
      if (truth.harm >= HARM_MIN) count(tally, happenedIn(truth, shift), foldServed(truth.served))
    }
    return row(shift, tally)
  })

const happenedIn = (truth: Truth, shift: Shift): Happened => ({
  culprits: truth.culprits.map(TENANT),
  victims: truth.victims.map(TENANT),
  mechanism: MECHANISM_OF[shift],
  changeMinute: CHANGE_MINUTE
})

/** One Markdown row per shift of a real hour dealt to tenants. */
export const scoreTrace = (trace: readonly TraceRow[], seeds: readonly number[]): string[] =>
  TRACE_SHIFTS.flatMap((shift) => {
    const tally = emptyTally()
    for (const seed of seeds) {
      for (const { served, culprit, victims } of traceIncidents(trace, seed, shift)) {
        const happened = {
          culprits: [TENANT(culprit)],
          victims: victims.map(TENANT),
          mechanism: MECHANISM_OF[shift],
          changeMinute: TRACE_CHANGE_MINUTE
        }
        count(tally, happened, foldServed(served))
      }
    }
    return tally.incidents === 0 ? [] : [row(shift, tally)]
  })

const row = (shift: string, tally: Tally): string => {
  const share = (part: number): string =>
    `${((100 * part) / Math.max(1, tally.incidents)).toFixed(0)} %`
  const median = [...tally.delays].sort((a, b) => a - b)[Math.floor(tally.delays.length / 2)]
  const precision = tally.toldRight / Math.max(1, tally.told)
  const recall = tally.toldRight / Math.max(1, tally.victims)
  const explained = `${((100 * tally.explainedRight) / Math.max(1, tally.explained)).toFixed(0)} %`
  return `| ${shift} | ${tally.incidents} | ${share(tally.rightAt10)} | ${share(tally.rightAt20)} | ${share(tally.namedWrong)} | ${median} min | ${explained} | ${precision.toFixed(2)} / ${recall.toFixed(2)} |`
}

export const CULPRIT_HEADER = [
  '| shift | incidents | culprit first within 10 min | within 20 min | somebody else named | median | mechanism right | victims: precision / recall |',
  '|---|---|---|---|---|---|---|---|'
]

const NIGHTS = {
  surge: (world: CulpritWorld) => ({ ...world, surge: world.surge ?? world.culprits[0] ?? 0 }),
  ramp: (world: CulpritWorld) => ({ ...world, surge: null, ramp: 2.5 })
} as const

/** Findings, namings and confident ones on nights on which nobody did anything. */
export const scoreQuietNights = ({ firstSeed, incidents: nights }: CulpritBlock): string[] =>
  Object.entries(NIGHTS).map(([name, change]) => {
    let found = 0
    let named = 0
    let surely = 0
    for (let seed = firstSeed; seed < firstSeed + nights; seed++) {
      const world = { ...change(drawWorld(seed, 'uuid_head')), culprits: [] }
      const drafts = foldServed(playWorld(world).served)
      found += drafts.length > 0 ? 1 : 0
      named += drafts.some(({ culprit }) => culprit !== null) ? 1 : 0
      surely += drafts.some(({ culprit }) => culprit?.['confidence'] === 'high') ? 1 : 0
    }
    return `| ${name} | ${nights} | ${found} | ${named} | ${surely} |`
  })

export const QUIET_HEADER = [
  '| night | nights | with a finding | somebody named | named with high confidence |',
  '|---|---|---|---|---|'
]
