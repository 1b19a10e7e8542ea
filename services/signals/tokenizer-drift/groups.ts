import type { Columns, SeriesKeys } from '../define.ts'
import { pairIdentity } from '../statistics/identity.ts'
import {
  clearIdentities,
  createIdentityMap,
  getIdentity,
  setIdentity,
  type IdentityMap
} from '../statistics/identity-map.ts'
import { RATIO_BINS, ratioBin } from '../statistics/ratio-sketch.ts'
import { addRecord, createRecords, layout, type Records } from '../statistics/records.ts'
import {
  clearConversations,
  createConversations,
  isNew,
  type Conversations
} from './conversations.ts'
import { SIDES, type SeriesName, type Side } from './series.ts'

/** Calls of the running minute, added up by series, side and bin of the ratio reported to local. */

export type Groups = {
  /** By group: which it is, and its sums. */
  records: Records
  /** The group of each series, side and bin. */
  numbers: IdentityMap
  conversations: Conversations
  keys: SeriesKeys
  max: number
}

const doubles = layout({
  /** Number of its series in the run × sides + its side. */
  name: 1,
  bin: 1,
  /** Calls, and conversations whose first call of the minute is among them. */
  n: 1,
  clusters: 1,
  /** Σl, Σr, Σl², Σr², Σlr of local and reported counts, Σ extra pico-dollars. */
  l: 1,
  r: 1,
  ll: 1,
  rr: 1,
  lr: 1,
  extra: 1
})

export const G = doubles.at
const GROUP_SHAPE = { doubles: doubles.length, floats: 0, bytes: 0 }

/** Groups at most, 40 MB: 5,000 busy series. Calls of further ones are left out of their minute. */
const GROUPS_MAX = 2 ** 19
const NOWHERE = -1

export const createGroups = (max = GROUPS_MAX): Groups => ({
  records: createRecords(GROUP_SHAPE),
  numbers: createIdentityMap(),
  conversations: createConversations(),
  keys: [],
  max
})

export const clearGroups = (groups: Groups): void => {
  const { records } = groups
  records.doubles.fill(0, 0, startOf(records.size))
  records.size = 0
  clearIdentities(groups.numbers)
  clearConversations(groups.conversations)
}

/** Where a group's numbers begin in the doubles of the records. */
export const startOf = (group: number): number => group * GROUP_SHAPE.doubles

const LIMIT = SIDES.indexOf('limit')

/** Adds calls in order of time, so that sums have the same bits wherever parts of a minute end. */
export const addCalls = (groups: Groups, { rows, series, keys, measures }: Columns): void => {
  groups.keys = keys
  const { conversation, token_pico } = measures
  const counts = SIDES.map((side) => countsOf(measures, side))
  for (let row = 0; row < rows; row++) {
    for (let side = 0; side < SIDES.length; side++) {
      const l = counts[side]!.local[row]!
      const r = counts[side]!.reported[row]!
      if (Number.isNaN(r)) continue
      const name = series[row]! * SIDES.length + side
      const at = placeOf(groups, name, ratioBin(r / l))
      if (at === NOWHERE) continue
      const { doubles: d } = groups.records
      d[at + G.n]! += 1
      // Of calls near their limit no more is asked than how many.
      if (side === LIMIT) continue
      addTokens(d, at, l, r)
      addExtra(d, at, token_pico![row]! * (r - l))
      // Calls of one conversation are alike: it has one vote, where its first call of the minute is.
      if (isNew(groups.conversations, pairIdentity(conversation![row]!, name))) {
        d[at + G.clusters]! += 1
      }
    }
  }
}

const countsOf = (measures: Columns['measures'], side: Side) => {
  const of = { in: 'reported_in', out: 'reported_out', limit: 'near_limit' } as const
  return {
    local: measures[side === 'out' ? 'local_out' : 'local_in']!,
    reported: measures[of[side]]!
  }
}

/** Where the numbers of a group begin; a new one is added while there is room for it. */
const placeOf = ({ records, numbers, max }: Groups, name: number, bin: number): number => {
  const identity = name * RATIO_BINS + bin + (RATIO_BINS - 1) / 2
  const known = getIdentity(numbers, identity)
  if (known !== undefined) return startOf(known)
  if (records.size === max) return NOWHERE
  const group = addRecord(records)
  setIdentity(numbers, identity, group)
  const at = startOf(group)
  records.doubles[at + G.name] = name
  records.doubles[at + G.bin] = bin
  return at
}

const addTokens = (d: Float64Array, at: number, l: number, r: number): void => {
  d[at + G.l]! += l
  d[at + G.r]! += r
  d[at + G.ll]! += l * l
  d[at + G.rr]! += r * r
  d[at + G.lr]! += l * r
}

/** Calls without a price say nothing of what tokens cost. */
const addExtra = (d: Float64Array, at: number, pico: number): void => {
  if (!Number.isNaN(pico)) d[at + G.extra]! += pico
}

/** The groups of one name, in order of their bins. */
export type Named = { name: SeriesName; numbers: readonly number[] }

/** All groups, in order of their names: nothing depends on which call happened to come first. */
export const inOrder = ({ records: { doubles: d, size }, keys }: Groups): Named[] => {
  const byName = new Map<number, number[]>()
  for (let group = 0; group < size; group++) {
    const number = d[startOf(group) + G.name]!
    const own = byName.get(number)
    if (own === undefined) byName.set(number, [group])
    else own.push(group)
  }
  const binOf = (group: number): number => d[startOf(group) + G.bin]!
  const wordsOf = (number: number) => keys[Math.floor(number / SIDES.length)]!
  return [...byName]
    .sort(([a], [b]) => compareWords(wordsOf(a), wordsOf(b)) || a - b)
    .map(([number, own]) => {
      const [provider = null, model = null, tokenizer = null, script = null] = wordsOf(number)
      const name = { provider, model, tokenizer, script, side: SIDES[number % SIDES.length]! }
      return { name, numbers: own.sort((a, b) => binOf(a) - binOf(b)) }
    })
}

/** Word by word, and what has none last, as the database orders them. */
const compareWords = (a: SeriesKeys[number], b: SeriesKeys[number]): number => {
  const at = a.findIndex((word, index) => word !== b[index])
  const [one, other] = [a[at] ?? null, b[at] ?? null]
  if (one === other) return 0
  return one === null || (other !== null && one > other) ? 1 : -1
}
