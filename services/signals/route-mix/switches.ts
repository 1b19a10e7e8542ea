import type { Words } from '../statistics/series-slots.ts'
import { gather, NO_SLOT, shareSlot, type WatchedShares } from '../statistics/watched-shares.ts'
import type { TurnOutcome } from './turns.ts'

/** Turns of the running minute that followed another, by tenant and whose turns they are. */

export type Whose = 'conversation' | 'user'

/** Turns of a tenant's conversations, or of its users: one object a run. */
type Counts = {
  name: Words
  turns: number
  flips: number
  back: number
  /** Null while it is not looked up. */
  slot: number | null
}

export type TenantSwitches = Readonly<Record<Whose, Counts>>

export type Switches = {
  byTenant: Map<string, TenantSwitches>
  /** Those with turns in the running minute. */
  touched: Counts[]
}

export const createSwitches = (): Switches => ({ byTenant: new Map(), touched: [] })

export const switchesOf = ({ byTenant }: Switches, tenant: string): TenantSwitches => {
  const known = byTenant.get(tenant)
  if (known !== undefined) return known
  const countsOf = (whose: Whose): Counts => ({
    name: [tenant, whose],
    turns: 0,
    flips: 0,
    back: 0,
    slot: null
  })
  const fresh = { conversation: countsOf('conversation'), user: countsOf('user') }
  byTenant.set(tenant, fresh)
  return fresh
}

export const countTurn = ({ touched }: Switches, counts: Counts, outcome: TurnOutcome): void => {
  if (counts.turns === 0) touched.push(counts)
  counts.turns += 1
  if (outcome !== 'same') counts.flips += 1
  if (outcome === 'back') counts.back += 1
}

/** Hands the minute's turns to their shares, and begins the next. */
export const gatherSwitches = (shares: WatchedShares, { touched }: Switches, ms: number): void => {
  for (const counts of touched) {
    const { name, turns, flips, back } = counts
    counts.slot ??= shareSlot(shares, name, ms)
    gather(shares, counts.slot, { n: turns, k: flips, sums: [back, 0, 0] })
    if (counts.slot === NO_SLOT) counts.slot = null
    counts.turns = counts.flips = counts.back = 0
  }
  touched.length = 0
}

/** Forgets which slot is whose: after series were dropped. */
export const forgetSlots = ({ byTenant }: Switches): void => {
  for (const { conversation, user } of byTenant.values()) conversation.slot = user.slot = null
}
