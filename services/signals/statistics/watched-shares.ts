import type { Columns } from '../define.ts'
import { ACCOUNT_NUMBERS, accountOf, numbersOf, openAccount } from './false-alarm-account.ts'
import { startRise } from './rise-detector.ts'
import { R, RISE_SHAPE, type Tally } from './rise-record.ts'
import {
  createSlots,
  forgetIdle,
  restoreSlots,
  saveSlots,
  slotArrays,
  slotOf,
  tenantsBySlot,
  type SavedSlots,
  type Slots,
  type Words
} from './series-slots.ts'

/**
 * Named shares of many tenants and the counts of the running minute. A name is its words; the
 * first is the tenant, null for what is watched over all tenants.
 */

export type WatchedShares = {
  slots: Slots
  minute: { sums: Float64Array; isTouched: Uint8Array; touched: number[] }
  /** Slots by the series codes of a grain, so that a name is put together once per run. */
  ofCode: Int32Array
}

/** Series that one tenant may have; beyond, only its wider series see the rest. */
const SERIES_PER_TENANT_MAX = 512
/** n, k, three sums, and the bad ones that are expected among how many trials. */
const SUMS = 7
export const NO_SLOT = -1
const UNKNOWN = -2

const watch = (slots: Slots): WatchedShares => ({
  slots,
  minute: { sums: new Float64Array(0), isTouched: new Uint8Array(0), touched: [] },
  ofCode: new Int32Array(0)
})

export const createShares = (): WatchedShares => watch(createSlots(RISE_SHAPE, R.lastMs))

/** The slot of a series, which is added when new; NO_SLOT when its tenant has too many. */
export const shareSlot = ({ slots }: WatchedShares, name: Words, ms: number): number => {
  const known = slots.slots.get(JSON.stringify(name))
  if (known !== undefined) return known
  const series = slots.tenants.get(name[0] ?? null)?.series ?? 0
  if (series >= SERIES_PER_TENANT_MAX) return NO_SLOT
  return slotOf(slots, name, (slot) => startRise(slots.records, slot, ms))
}

/** The slot of a row's series; `name` is asked once per series and run. */
export const slotOfRow = (
  shares: WatchedShares,
  { series, keys }: Columns,
  { row, ms }: { row: number; ms: number },
  name: (keys: Words) => Words
): number => {
  if (shares.ofCode.length < keys.length) {
    const larger = new Int32Array(keys.length * 2).fill(UNKNOWN)
    larger.set(shares.ofCode)
    shares.ofCode = larger
  }
  const code = series[row]!
  const known = shares.ofCode[code]!
  if (known !== UNKNOWN) return known
  return (shares.ofCode[code] = shareSlot(shares, name(keys[code]!), ms))
}

/** Forgets which code is whose: after a sweep, or when rows come from another grain. */
export const forgetCodes = (shares: WatchedShares): void => {
  shares.ofCode.fill(UNKNOWN)
}

export type Counts = { n: number; k: number; sums: readonly [number, number, number] }

/** Adds counts to a series' running minute. `expected` is a share that stands for these trials. */
export const gather = (
  { minute, slots }: WatchedShares,
  slot: number,
  { n, k, sums }: Counts,
  expected?: number
): void => {
  if (slot === NO_SLOT) return
  if (minute.isTouched.length < slots.records.size) makeRoom(minute, slots.records.size * 2)
  const at = slot * SUMS
  if (minute.isTouched[slot] === 0) {
    minute.isTouched[slot] = 1
    minute.touched.push(slot)
  }
  minute.sums[at]! += n
  minute.sums[at + 1]! += k
  for (let i = 0; i < 3; i++) minute.sums[at + 2 + i]! += sums[i]!
  if (expected === undefined) return
  minute.sums[at + 5]! += n * expected
  minute.sums[at + 6]! += n
}

const makeRoom = (minute: WatchedShares['minute'], series: number): void => {
  const { sums, isTouched } = minute
  minute.sums = new Float64Array(series * SUMS)
  minute.sums.set(sums)
  minute.isTouched = new Uint8Array(series)
  minute.isTouched.set(isTouched)
}

/**
 * Hands over every series that had trials in the running minute, one after the other, and clears it.
 * The tally is the taker's until the next.
 */
export const takeMinute = (
  { minute: { sums, isTouched, touched } }: WatchedShares,
  take: (slot: number, tally: Tally) => void
): void => {
  // One object for all: a new one for each of a hundred thousand series is a tick's garbage.
  const own: [number, number, number] = [0, 0, 0]
  const tally = { n: 0, k: 0, sums: own, expected: Number.NaN }
  for (const slot of touched) {
    const at = slot * SUMS
    const trials = sums[at + 6]!
    tally.n = sums[at]!
    tally.k = sums[at + 1]!
    for (let i = 0; i < 3; i++) own[i] = sums[at + 2 + i]!
    tally.expected = trials > 0 ? sums[at + 5]! / trials : Number.NaN
    for (let i = at; i < at + SUMS; i++) sums[i] = 0
    isTouched[slot] = 0
    take(slot, tally)
  }
  touched.length = 0
}

/** The counts of a series' running minute so far. */
export const countsOf = ({ minute }: WatchedShares, slot: number): Counts => {
  const { sums } = minute
  const at = slot * SUMS
  return { n: sums[at]!, k: sums[at + 1]!, sums: [sums[at + 2]!, sums[at + 3]!, sums[at + 4]!] }
}

/** Once a day: forgets idle series. True when any went: what refers to slots is then void. */
export const sweepShares = (shares: WatchedShares, ms: number): boolean => {
  if (forgetIdle(shares.slots, ms).length === 0) return false
  forgetCodes(shares)
  return true
}

export const saveShares = ({ slots }: WatchedShares): SavedSlots => saveSlots(slots)

/** The records' arrays, and behind them the accounts of all tenants. */
export const shareArrays = ({ slots }: WatchedShares): ReturnType<typeof slotArrays> => {
  const accounts = tenantsBySlot(slots).flatMap(({ account }) =>
    numbersOf(account ?? openAccount(0))
  )
  return [...slotArrays(slots), Float64Array.from(accounts)]
}

/** Takes its arrays off the front of `arrays`. */
export const restoreShares = (
  saved: SavedSlots,
  arrays: Parameters<typeof restoreSlots>[2]
): WatchedShares => {
  const shares = createShares()
  restoreSlots(shares.slots, saved, arrays)
  const [accounts] = arrays.splice(0, 1)
  for (const [index, tenant] of tenantsBySlot(shares.slots).entries()) {
    const at = index * ACCOUNT_NUMBERS
    const isOpen = accounts![at]! > 0
    tenant.account = isOpen ? accountOf(accounts!.subarray(at, at + ACCOUNT_NUMBERS)) : null
  }
  return shares
}
