import signal from '../../services/signals/cache-thrash/signal.ts'
import type { Draft } from '../../services/signals/define.ts'
import { CHANGE_MINUTE, drawWorld, SHIFTS, type CulpritWorld } from '../worlds/culprit.ts'
import { playWorld, type Truth } from '../worlds/culprit-truth.ts'
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

const foldWorld = (truth: Truth): Draft[] => {
  const fold = signal.open()
  const naming = { startMs: START_MS, tenant: TENANT, cachePool: 'pool', blockTokens: 1024 }
  return servedMinutes(truth.served, naming).flatMap((minute) => fold.fold(minute))
}

const minutesAfter = (draft: Draft): number =>
  (Date.parse(draft.detected_at) - START_MS) / MINUTE_MS - CHANGE_MINUTE

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
  victims: 0
})

const count = (tally: Tally, truth: Truth, drafts: readonly Draft[]): void => {
  const culprits = truth.culprits.map(TENANT)
  const named = drafts.filter(({ culprit }) => culprit !== null)
  const right = named.filter(({ culprit }) => culprits.includes(String(culprit?.['tenant'])))
  const first = right.map(minutesAfter)[0] ?? Infinity
  tally.incidents += 1
  tally.early += drafts.some((draft) => minutesAfter(draft) <= 0) ? 1 : 0
  tally.rightAt10 += first <= 10 ? 1 : 0
  tally.rightAt20 += first <= 20 ? 1 : 0
  tally.namedWrong += named.length > right.length ? 1 : 0
  tally.delays.push(first)
  const told = drafts.findLast(({ scope }) => scope['level'] === 'pool')?.victims ?? []
  const victims = new Set(truth.victims.map(TENANT))
  tally.told += told.length
  tally.toldRight += told.filter((victim) => victims.has(String(victim['tenant']))).length
  tally.victims += victims.size
}

/** One Markdown row per shift, for worlds with one culprit or two. */
export const scoreCulprits = (block: CulpritBlock, culprits = 1): string[] =>
  SHIFTS.map((shift) => {
    const tally = emptyTally()
    const last = block.firstSeed + block.incidents * TRIES
    for (let seed = block.firstSeed; tally.incidents < block.incidents && seed < last; seed++) {
      const truth = playWorld(drawWorld(seed, shift, culprits))
      if (truth.harm >= HARM_MIN) count(tally, truth, foldWorld(truth))
    }
    return row(shift, tally)
  })

const row = (shift: string, tally: Tally): string => {
  const share = (part: number): string =>
    `${((100 * part) / Math.max(1, tally.incidents)).toFixed(0)} %`
  const median = [...tally.delays].sort((a, b) => a - b)[Math.floor(tally.delays.length / 2)]
  const precision = tally.toldRight / Math.max(1, tally.told)
  const recall = tally.toldRight / Math.max(1, tally.victims)
  return `| ${shift} | ${tally.incidents} | ${share(tally.rightAt10)} | ${share(tally.rightAt20)} | ${share(tally.namedWrong)} | ${median} min | ${precision.toFixed(2)} / ${recall.toFixed(2)} |`
}

export const CULPRIT_HEADER = [
  '| shift | incidents | right within 10 min | within 20 min | somebody else named | median | victims: precision / recall |',
  '|---|---|---|---|---|---|---|'
]

const NIGHTS = {
  surge: (world: CulpritWorld) => ({ ...world, surge: world.surge ?? world.culprits[0] ?? 0 }),
  ramp: (world: CulpritWorld) => ({ ...world, surge: null, ramp: 2.5 })
} as const

/** Findings and confident namings on nights on which nobody did anything. */
export const scoreQuietNights = ({ firstSeed, incidents: nights }: CulpritBlock): string[] =>
  Object.entries(NIGHTS).map(([name, change]) => {
    let found = 0
    let named = 0
    for (let seed = firstSeed; seed < firstSeed + nights; seed++) {
      const world = { ...change(drawWorld(seed, 'uuid_head')), culprits: [] }
      const drafts = foldWorld(playWorld(world))
      found += drafts.length > 0 ? 1 : 0
      named += drafts.some(({ culprit }) => culprit?.['confidence'] === 'high') ? 1 : 0
    }
    return `| ${name} | ${nights} | ${found} | ${named} |`
  })

export const QUIET_HEADER = [
  '| night | nights | with a finding | somebody named |',
  '|---|---|---|---|'
]
