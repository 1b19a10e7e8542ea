import type { PriceBook } from '../../services/rates/prices/book.ts'
import type { BillLine } from './bill.ts'
import { isTokenMeter } from './bill.ts'
import { assignUnits, type MissingCalls } from './unit-gap.ts'
import { callStatistics, classTokens, type CallStatistics } from './call-statistics.ts'
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
import { evenRounding, stateBill } from './billed-tokens.ts'
import { assignPrices } from './price-gap.ts'
import { modelKey } from '../../services/rates/prices/billing-names.ts'
import type { Call } from './recorded.ts'
import { billClock, CLOCKS, OMISSIONS } from './timing.ts'
import { countDays, type Day, type DayResult } from './miscount.ts'
import { assignTokens, gapIn, sumByClass } from './token-gap.ts'
import { unpricedRemarks } from './unpriced.ts'
import {
  CLASSES,
  classOf,
  groupBy,
  weightOf,
  type Group,
  type TokenClass,
  type Working
} from './working.ts'

export type Decomposition = {
  cells: Cell[]
  /** What was found out about the bill as a whole. */
  remarks: string[]
  buckets: readonly Bucket[]
  /** Calls of ours inside the bill, copies left out. */
  calls: readonly Call[]
  /** Two standard errors of what was put under missing calls instead of miscounted tokens. */
  errorPico: number
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
  return { ...explain(book, { grid, groups }), buckets: grain.buckets, calls: inside }
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
    cell.billedCopiesPico += line.amountPico
    addPart(cell, 'duplicate_charges', line.amountPico)
  }
}

type Parts = { grid: CellGrid; groups: Group[] }

type Explained = Pick<Decomposition, 'cells' | 'remarks' | 'errorPico'>
type Studied = { group: Group; statistics: CallStatistics }

const explain = (book: PriceBook, { grid, groups }: Parts): Explained => {
  for (const cell of grid.cells.values()) addPart(cell, 'duplicates', -cell.copiesPico)
  evenRounding(grid)
  for (const group of groups) stateBill(group)
  const studied = groups.map((group) => ({ group, statistics: callStatistics(group.calls) }))
  const remarks = [...setClocks(book, grid, studied), ...unpricedRemarks(groups)]
  const missing: MissingCalls[] = []
  for (const one of studied) {
    missing.push(...explainTokens(book, grid, one))
    assignPrices(book, one.group, grid.grain.buckets)
  }
  assignUnits(grid, missing)
  for (const cell of grid.cells.values()) assignRest(cell)
  const variance = missing.reduce((sum, day) => sum + day.variancePico, 0)
  return { cells: [...grid.cells.values()], remarks, errorPico: 2 * Math.sqrt(variance) }
}

/** Puts our calls where the bill has them: leaves out what it leaves out, cuts days as it does. */
const setClocks = (book: PriceBook, grid: CellGrid, studied: readonly Studied[]): string[] => {
  const groups = studied.map(({ group }) => group)
  const steps = [
    ...OMISSIONS.map((clock) => ({ clocks: [clock], cause: 'unbilled_calls' as const })),
    { clocks: CLOCKS, cause: 'timing' as const }
  ]
  return steps.flatMap(({ clocks, cause }) => {
    const clock = billClock(studied, grid.grain.buckets, clocks)
    if (clock === null) return []
    applyClock(book, { grid, groups }, { clock, cause })
    return [clock.name]
  })
}

const explainTokens = (
  book: PriceBook,
  grid: CellGrid,
  { group, statistics }: Studied
): MissingCalls[] => {
  const where = { grid, group }
  const days = (): Map<number, Working[]> =>
    new Map([...byBucket(group)].toSorted(([left], [right]) => left - right))
  for (const [bucket, workings] of days()) {
    bookKnownCalls(book, where, { bucket, workings, classes: CLASSES })
  }
  // Where a class is counted differently, the others may still add up to a few calls.
  const { sound } = countDays(countedDays(where, days()), statistics)
  ;[...days()].forEach(([bucket, workings], index) => {
    const classes = sound[index] ?? CLASSES
    if (classes.length === CLASSES.length) return
    bookKnownCalls(book, where, { bucket, workings, classes })
  })
  const last = days()
  const { results, cause } = countDays(countedDays(where, last), statistics)
  return [...last].map(([bucket, workings], index) => {
    const result = results[index] ?? { calls: 0, miscount: { in: 0, read: 0, write: 0, out: 0 } }
    assignTokens(workings, { ...result, miscountCause: cause })
    return { bucket, group, calls: result.calls, variancePico: doubt(workings, result, statistics) }
  })
}

const countedDays = (
  { grid, group }: { grid: CellGrid; group: Group },
  days: ReadonlyMap<number, readonly Working[]>
): Day[] => {
  const ours = groupBy(group.calls, ({ timeMs }) => bucketAt(grid.grain.buckets, timeMs))
  return [...days].map(([bucket, workings]) => {
    const requests = group.requests.get(bucket)
    return {
      bucket,
      gap: sumByClass(workings, gapIn),
      ours: sumByClass(workings, ({ tokens }) => tokens),
      requests: requests === undefined ? null : requests - (ours.get(bucket)?.length ?? 0)
    }
  })
}

/**
 * Variance in dollars of telling missing calls from miscounted tokens on a day with both; and from
 * calls put in another tier or time to live, where it is by chance which of them are missing.
 */
const doubt = (
  workings: readonly Working[],
  { calls, miscount }: DayResult,
  { square }: CallStatistics
): number =>
  [...groupBy(workings, ({ cell }) => classOf(cell.meter))].reduce((sum, [name, peers]) => {
    const prices = peers.map(({ price }) => weightOf(price))
    const most = Math.max(...prices)
    const counted = miscount[name] === 0 ? 0 : most ** 2
    const moved = (mixed(peers) * (most - Math.min(...prices)) ** 2) / 2
    return sum + Math.abs(calls) * square[name] * (counted + moved)
  }, 0)

const MOVED = ['misclassified_batch', 'misclassified_tier', 'misclassified_cache_ttl'] as const

/** Chance that two tokens of a class stand in different cells; 0 where none went from one to another. */
const mixed = (peers: readonly Working[]): number => {
  const isMoved = peers.some(({ cell }) => MOVED.some((cause) => cell.parts[cause] !== undefined))
  const all = peers.reduce((sum, { tokens }) => sum + tokens, 0)
  if (!isMoved || all === 0) return 0
  return 1 - peers.reduce((sum, { tokens }) => sum + (tokens / all) ** 2, 0)
}

const byBucket = (group: Group): Map<number, Working[]> =>
  groupBy(group.workings, ({ cell }) => cell.bucket)

type KnownCalls = {
  bucket: number
  workings: readonly Working[]
  /** Classes that both sides count alike. */
  classes: readonly TokenClass[]
}

/** Calls that, to the token, account for what a day has more or less on the bill. */
const bookKnownCalls = (
  book: PriceBook,
  where: { grid: CellGrid; group: Group },
  { bucket, workings, classes }: KnownCalls
): void => {
  const { buckets } = where.grid.grain
  const target = classes.map((name) =>
    workings
      .filter(({ cell }) => classOf(cell.meter) === name)
      .reduce((sum, { billed, tokens }) => sum + (billed ?? 0) - tokens, 0)
  )
  const isLess = target.every((value) => value <= 0)
  const calls = where.group.calls.filter(({ timeMs }) => bucketAt(buckets, timeMs) === bucket)
  const vectors = calls.map((call) => {
    const tokens = classTokens(call)
    return classes.map((name) => tokens[name])
  })
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
