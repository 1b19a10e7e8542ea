import type { PriceBook } from '../../services/rates/prices/book.ts'
import type { BillLine, TokenMeter } from './bill.ts'
import { isTokenMeter } from './bill.ts'
import { addPart, ANY_MODEL, bucketAt, foldMeter, type CellGrid } from './cells.ts'
import type { Cause } from './causes.ts'
import type { Call } from './recorded.ts'
import type { Clock } from './timing.ts'
import { listPrice, type Fraction, type Group, type Working } from './working.ts'

/** Groups the token cells of one provider by model, with our price and tokens of each. */
export const groupsOf = (
  book: PriceBook,
  grid: CellGrid,
  { calls, lines }: { calls: readonly Call[]; lines: readonly (BillLine & { key: string })[] }
): Group[] => {
  const groups = new Map<string, Group>()
  for (const cell of grid.cells.values()) {
    if (!isTokenMeter(cell.meter)) continue
    const group = groups.get(cell.model) ?? {
      provider: cell.provider,
      model: cell.model,
      workings: [],
      calls: [],
      requests: new Map<number, number>()
    }
    groups.set(cell.model, group)
    const fromMs = grid.grain.buckets[cell.bucket]?.fromMs ?? 0
    const list = listPrice(book, cell, fromMs)
    const price: Fraction | null =
      cell.tokens > 0 && cell.pico > 0n
        ? { pico: cell.pico, tokens: BigInt(cell.tokens) }
        : list === null
          ? null
          : { pico: list, tokens: 1n }
    group.workings.push({
      cell,
      price,
      tokens: cell.tokens,
      pico: cell.pico,
      billed: cell.billedTokens,
      slack: 0
    })
  }
  for (const call of calls) {
    groups.get(grid.grain.hasModels ? call.model : ANY_MODEL)?.calls.push(call)
  }
  countRequests(groups, lines, grid)
  return [...groups.values()]
}

const countRequests = (
  groups: ReadonlyMap<string, Group>,
  lines: readonly (BillLine & { key: string })[],
  grid: CellGrid
): void => {
  for (const { requests, key, fromMs } of lines) {
    const group = groups.get(key)
    if (requests === null || group === undefined) continue
    const bucket = bucketAt(grid.grain.buckets, fromMs)
    group.requests.set(bucket, (group.requests.get(bucket) ?? 0) + requests)
  }
}

/** The working of a group for a cell, made when a call moves where none was. */
const workingAt = (
  book: PriceBook,
  { grid, group }: { grid: CellGrid; group: Group },
  place: { bucket: number; meter: TokenMeter; tier: string | null }
): Working => {
  const cell = grid.at({ provider: group.provider, model: group.model, ...place })
  const known = group.workings.find((working) => working.cell === cell)
  if (known !== undefined) return known
  const list = listPrice(book, cell, grid.grain.buckets[place.bucket]?.fromMs ?? 0)
  const price = list === null ? null : { pico: list, tokens: 1n }
  const working: Working = { cell, price, tokens: 0, pico: 0n, billed: 0, slack: 0 }
  group.workings.push(working)
  return working
}

type Step = { call: Call; bucket: number; sign: 1 | -1; cause: Cause }

/** Puts a call into (+) or takes it out of (-) a bucket of our record, under a cause. */
export const bookCall = (
  book: PriceBook,
  where: { grid: CellGrid; group: Group },
  { call, bucket, sign, cause }: Step
): void => {
  const { grain } = where.grid
  const tier = grain.hasTiers ? call.tier : null
  for (const [name, tokens] of Object.entries(call.tokens) as [TokenMeter, number][]) {
    const meter = foldMeter(grain.meters, name)
    const working = workingAt(book, where, { bucket, meter, tier })
    const pico = BigInt(sign) * (call.pico[name] ?? 0n)
    working.tokens += sign * tokens
    working.pico += pico
    // Calls of another size tier or hour have another price: what is left is worth what it says.
    if (working.tokens > 0 && working.pico > 0n)
      working.price = { pico: working.pico, tokens: BigInt(working.tokens) }
    addPart(working.cell, cause, pico)
  }
  for (const name of Object.keys(call.units)) {
    const model = grain.unitsHaveModels ? call.model : ANY_MODEL
    const meter = `unit:${name}` as const
    const cell = where.grid.at({ provider: call.provider, model, bucket, meter, tier: null })
    addPart(cell, cause, BigInt(sign) * (call.unitsPico[meter] ?? 0n))
  }
}

/** Rearranges our calls as the bill's clock has them. */
export const applyClock = (
  book: PriceBook,
  { grid, groups }: { grid: CellGrid; groups: readonly Group[] },
  { clock, cause }: { clock: Clock; cause: Cause }
): void => {
  const { buckets } = grid.grain
  for (const group of groups) {
    for (const call of group.calls) {
      const [from, to] = [bucketAt(buckets, call.timeMs), bucketAt(buckets, clock.at(call))]
      if (from === to) continue
      const where = { grid, group }
      if (from >= 0) bookCall(book, where, { call, bucket: from, sign: -1, cause })
      if (to >= 0) bookCall(book, where, { call, bucket: to, sign: 1, cause })
    }
  }
}
