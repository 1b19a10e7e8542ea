import type { PriceBook } from '../../services/rates/prices/book.ts'
import type { BillLine } from './bill.ts'
import { isTokenMeter } from './bill.ts'
import { assignUnits } from './unit-gap.ts'
import { callStatistics, classTokens } from './call-statistics.ts'
import { callsThatSumTo } from './call-sums.ts'
import {
  addPart,
  ANY_MODEL,
  bucketAt,
  CellGrid,
  explainedOf,
  gapOf,
  grainOf,
  type Bucket,
  type Cell
} from './cells.ts'
import { applyClock, bookCall, groupsOf } from './groups.ts'
import { impliedByDivision, impliedByRatio } from './implied-price.ts'
import { assignPrices } from './price-gap.ts'
import { modelKey, type Call } from './recorded.ts'
import { billClock, OMISSIONS } from './timing.ts'
import { assignTokens } from './token-gap.ts'
import { CLASSES, classOf, groupBy, valueOf, type Group, type Working } from './working.ts'

export type Decomposition = {
  cells: Cell[]
  /** What was found out about the bill as a whole. */
  remarks: string[]
  /** Dollars (pico) that noise may have put under the wrong cause. */
  noisePico: number
  buckets: readonly Bucket[]
  /** Calls of ours inside the bill, copies left out. */
  calls: number
}

/** Time zones reach this far: calls outside the bill by less may be in its first or last day. */
const REACH_MS = 14 * 3_600_000

/**
 * Explains the gap between one provider's bill and our calls, cell by cell, exact causes first:
 * copies, the bill's clock, unit prices, then tokens. The parts of a cell sum to its gap.
 */
export const decompose = (
  book: PriceBook,
  { lines, calls }: { lines: readonly BillLine[]; calls: readonly Call[] }
): Decomposition => {
  const grain = grainOf(lines)
  const grid = new CellGrid(grain)
  const keyed = lines.map((line) => ({ ...line, key: keyOf(book, line, grain.hasModels) }))
  addLines(grid, keyed)
  const [first, last] = [grain.buckets[0], grain.buckets.at(-1)]
  const near = calls.filter(
    ({ timeMs }) =>
      first !== undefined &&
      last !== undefined &&
      timeMs >= first.fromMs - REACH_MS &&
      timeMs < last.toMs + REACH_MS
  )
  for (const call of near) {
    const bucket = bucketAt(grain.buckets, call.timeMs)
    if (bucket >= 0) grid.addCall(call, bucket)
  }
  const single = near.filter(({ isDuplicate }) => !isDuplicate)
  const groups = groupsOf(book, grid, { calls: single, lines: keyed })
  const inside = single.filter(({ timeMs }) => bucketAt(grain.buckets, timeMs) >= 0)
  return { ...explain(book, { grid, groups }), buckets: grain.buckets, calls: inside.length }
}

const keyOf = (book: PriceBook, line: BillLine, hasModels: boolean): string =>
  hasModels && line.model !== null ? modelKey(book, line.provider, line.model) : ANY_MODEL

/** The same charge twice is charged twice; its second copy says nothing about calls. */
const addLines = (grid: CellGrid, lines: readonly (BillLine & { key: string })[]): void => {
  const seen = new Set<string>()
  for (const line of lines) {
    const bucket = bucketAt(grid.grain.buckets, line.fromMs)
    if (bucket < 0) continue
    const isCopy = seen.has(line.identity)
    seen.add(line.identity)
    grid.addLine(isCopy ? { ...line, quantity: null } : line, line.key, bucket)
    if (!isCopy || line.amountPico === null) continue
    const isUnit = line.meter.startsWith('unit:')
    const cell = grid.at({
      provider: line.provider,
      model: isUnit && !grid.grain.unitsHaveModels ? ANY_MODEL : line.key,
      bucket,
      meter: line.meter,
      tier: isUnit || !grid.grain.hasTiers ? null : (line.tier ?? 'standard')
    })
    addPart(cell, 'duplicate_charges', line.amountPico)
  }
}

type Parts = { grid: CellGrid; groups: Group[] }

type Explained = Pick<Decomposition, 'cells' | 'remarks' | 'noisePico'>

const explain = (book: PriceBook, { grid, groups }: Parts): Explained => {
  const remarks: string[] = []
  const { buckets } = grid.grain
  for (const cell of grid.cells.values()) addPart(cell, 'duplicates', -cell.copiesPico)
  evenRounding(grid)
  for (const group of groups) stateBill(group)
  for (const omission of OMISSIONS) {
    const found = billClock(groups, buckets, [omission])
    if (found === null) continue
    remarks.push(found.name)
    applyClock(book, { grid, groups }, { clock: found, cause: 'unbilled_calls' })
  }
  const clock = billClock(groups, buckets)
  if (clock !== null) {
    remarks.push(clock.name)
    applyClock(book, { grid, groups }, { clock, cause: 'timing' })
  }
  let noisePico = 0
  const missing = new Map<number, { group: Group; calls: number }[]>()
  for (const group of groups) {
    const statistics = callStatistics(group.calls)
    for (const [bucket, workings] of byBucket(group)) {
      bookKnownCalls(book, { grid, group }, { bucket, workings })
      const current = group.workings.filter(({ cell }) => cell.bucket === bucket)
      const requests = group.requests.get(bucket)
      const ours = group.calls.filter(({ timeMs }) => bucketAt(buckets, timeMs) === bucket).length
      const gap = assignTokens(current, statistics, {
        requests: requests === undefined ? null : requests - ours,
        cause: null
      })
      noisePico += gap.noisePico
      missing.set(bucket, [...(missing.get(bucket) ?? []), { group, calls: gap.calls }])
    }
    assignPrices(book, group, buckets)
  }
  assignUnits(grid, missing)
  for (const cell of grid.cells.values()) assignRest(cell)
  return { cells: [...grid.cells.values()], remarks, noisePico }
}

/** Some amounts look rounder than the bill rounds; its finest line tells its precision. */
const evenRounding = (grid: CellGrid): void => {
  const billed = [...grid.cells.values()].filter(({ roundingPico }) => roundingPico > 0n)
  const finest = billed.reduce<bigint | null>(
    (least, { roundingPico }) => (least === null || roundingPico < least ? roundingPico : least),
    null
  )
  for (const cell of billed) cell.roundingPico = finest ?? 0n
}

/** States tokens and money of the bill for every cell, working out the one that it leaves out. */
const stateBill = (group: Group): void => {
  const hasMoney = group.workings.some(({ cell }) => cell.billedPico !== null)
  if (!hasMoney) return stateMoney(group)
  spreadTotals(group)
  const open = group.workings.filter(
    ({ cell }) => cell.billedTokens === null && cell.billedPico !== null
  )
  const series = [...groupBy(open, ({ cell }) => `${cell.tier} ${cell.meter}`).values()]
  const coarse = series.filter((days) => !impliedByDivision(days))
  if (coarse.length > 0) impliedByRatio(coarse)
  for (const working of group.workings) working.billed ??= 0
}

/** A usage report has no money: its tokens are worth what they are worth to us. */
const stateMoney = (group: Group): void => {
  for (const working of group.workings) {
    working.billed ??= 0
    working.cell.billedPico = valueOf(working.price, working.billed)
  }
}

/** Money told only per model and day is spread over its tokens by their value to us. */
const spreadTotals = (group: Group): void => {
  for (const [, workings] of byBucket(group)) {
    const total = workings.find(({ cell }) => cell.meter === 'all')
    const told = workings.filter(
      ({ cell }) => cell.billedTokens !== null && cell.billedPico === null
    )
    if (total === undefined || told.length === 0) continue
    const values = told.map(({ price, billed }) => valueOf(price, billed ?? 0))
    const sum = values.reduce((left, right) => left + right, 0n)
    let left = total.cell.billedPico ?? 0n
    const amount = left
    told.forEach((working, index) => {
      const isLast = index === told.length - 1
      const share = isLast || sum === 0n ? left : (amount * (values[index] ?? 0n)) / sum
      working.cell.billedPico = share
      working.cell.roundingPico = total.cell.roundingPico
      left -= share
    })
    total.cell.billedPico = left
    total.billed = 0
  }
}

const byBucket = (group: Group): Map<number, Working[]> =>
  groupBy(group.workings, ({ cell }) => cell.bucket)

/** Calls that, to the token, account for what a day has more or less on the bill. */
const bookKnownCalls = (
  book: PriceBook,
  where: { grid: CellGrid; group: Group },
  { bucket, workings }: { bucket: number; workings: readonly Working[] }
): void => {
  const { buckets } = where.grid.grain
  const target = CLASSES.map((name) =>
    workings
      .filter(({ cell }) => classOf(cell.meter) === name)
      .reduce((sum, { billed, tokens }) => sum + (billed ?? 0) - tokens, 0)
  )
  const isLess = target.every((value) => value <= 0)
  const calls = where.group.calls.filter(({ timeMs }) => bucketAt(buckets, timeMs) === bucket)
  const vectors = calls.map((call) => Object.values(classTokens(call)))
  const found = callsThatSumTo(isLess ? target.map((value) => -value) : target, vectors)
  for (const index of found ?? []) {
    const call = calls[index]
    if (call === undefined) continue
    const step = isLess
      ? { call, bucket, sign: -1 as const, cause: 'unbilled_calls' as const }
      : { call, bucket, sign: 1 as const, cause: 'duplicate_charges' as const }
    bookCall(book, where, step)
  }
}

/** What no step explained: by the kind of line, and in the end unexplained. */
const assignRest = (cell: Cell): void => {
  const rest = gapOf(cell) - explainedOf(cell)
  if (cell.meter === 'credit') addPart(cell, 'credits', rest)
  else if (cell.meter === 'unknown') addPart(cell, 'unmapped', rest)
  else if (!isTokenMeter(cell.meter)) addPart(cell, 'tool_charges', rest)
  else addPart(cell, isNoise(cell, rest) ? 'rounding' : 'unexplained', rest)
}

/** Half a pico-dollar per computed part is arithmetic, not a difference. */
const isNoise = (cell: Cell, rest: bigint): boolean =>
  (rest < 0n ? -rest : rest) <= cell.roundingPico + 8n
