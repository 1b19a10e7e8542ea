import { R } from '../statistics/rise-record.ts'
import { riseChange, riseNats, shareOf } from '../statistics/rise-detector.ts'
import type { ShareEvent } from '../statistics/share-incidents.ts'
import { wordsOf, type Words } from '../statistics/series-slots.ts'
import type { State } from './state.ts'

/** Which tenants and schemas carry a rise: failures beyond what their own baselines expect. */

export type Carrier = {
  series: string
  tenant: string | null
  schema: string | null
  before: number
  after: number
  /** Failed first attempts beyond the expected ones since the change. */
  excess: number
}

const CARRIERS_MAX = 8

/** A series of one tenant, model and schema. */
export type Leaf = {
  series: string
  slot: number
  tenant: string | null
  schema: string | null
  lastMs: number
}

/** The leaves under the series of a finding. */
export const leavesOf = ({ shares: { slots } }: State, name: Words): Leaf[] =>
  [...slots.slots].flatMap(([series, slot]) => {
    const words = wordsOf(slots, slot)
    if (!isUnder(words, name)) return []
    const lastMs = slots.records.doubles[slot * slots.records.shape.doubles + R.lastMs]!
    return [{ series, slot, tenant: words[0] ?? null, schema: words[3] ?? null, lastMs }]
  })

export const carriersOf = (state: State, { name }: ShareEvent): Carrier[] =>
  leavesOf(state, name)
    .map((leaf) => carrierOf(state, leaf))
    .filter(({ excess }) => excess > 0)
    .sort((a, b) => b.excess - a.excess || (a.series < b.series ? -1 : 1))
    .slice(0, CARRIERS_MAX)

const carrierOf = ({ shares }: State, { series, slot, tenant, schema }: Leaf): Carrier => {
  const { records } = shares.slots
  const { before, after } = riseChange(records, slot)
  const isRising = riseNats(records.doubles, slot * records.shape.doubles) > 0
  return {
    series,
    tenant,
    schema,
    before: shareOf(before),
    after: shareOf(after),
    excess: isRising ? after.k - after.n * shareOf(before) : 0
  }
}

/** Whether a leaf lies under the series of a finding. */
const isUnder = ([tenant, level, model, schema]: Words, name: Words): boolean => {
  if (level !== 'leaf' || model !== name[2]) return false
  if (name[1] === 'fleet') return true
  if (tenant !== name[0]) return false
  return name[1] === 'model' || schema === name[3]
}
