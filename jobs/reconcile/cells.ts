import type { BillLine, Meter, TokenMeter } from './bill.ts'
import { isTokenMeter } from './bill.ts'
import type { Cause } from './causes.ts'
import { billingProvider } from '../../services/rates/prices/billing-names.ts'
import type { Call } from './recorded.ts'

/** Half-open stretch of time that the bill sums over, in milliseconds. */
export type Bucket = { fromMs: number; toMs: number }

/** The finest grain that a bill and our record share. */
export type Cell = {
  provider: string
  model: string
  bucket: number
  meter: Meter
  /** Null where the bill does not tell tiers apart. */
  tier: string | null
  /** Our record, every copy of a call counted once. */
  tokens: number
  pico: bigint
  /** What the further copies add to it. */
  copiesPico: bigint
  billedTokens: number | null
  billedPico: bigint | null
  /** Part of it that the bill has more than once. */
  billedCopiesPico: bigint
  roundingPico: bigint
  parts: Partial<Record<Cause, bigint>>
}

/** How one provider's bill is cut, and so how our calls are folded to match. */
export type Grain = {
  buckets: readonly Bucket[]
  meters: ReadonlySet<Meter>
  hasTiers: boolean
  hasModels: boolean
  unitsHaveModels: boolean
}

export const addPart = (cell: Cell, cause: Cause, pico: bigint): void => {
  if (pico !== 0n) cell.parts[cause] = (cell.parts[cause] ?? 0n) + pico
}

/** What the bill charges, every charge once. */
export const chargedOnce = (cell: Cell): bigint => (cell.billedPico ?? 0n) - cell.billedCopiesPico

export const gapOf = (cell: Cell): bigint => (cell.billedPico ?? 0n) - cell.pico - cell.copiesPico

export const explainedOf = (cell: Cell): bigint =>
  Object.values(cell.parts).reduce((sum, pico) => sum + pico, 0n)

const MS_PER_DAY = 86_400_000
/** Stands for every model where the bill names none. */
export const ANY_MODEL = '*'

export const grainOf = (lines: readonly BillLine[]): Grain => {
  const tokenLines = lines.filter(({ meter }) => isTokenMeter(meter))
  const unitLines = lines.filter(({ meter }) => meter.startsWith('unit:'))
  return {
    buckets: bucketsOf(lines),
    meters: new Set(lines.map(({ meter }) => meter)),
    hasTiers: tokenLines.some(({ tier }) => tier !== null),
    hasModels: tokenLines.length === 0 || tokenLines.some(({ model }) => model !== null),
    unitsHaveModels: unitLines.some(({ model }) => model !== null)
  }
}

/** Buckets are days, or what is longer than a day on the bill; finer lines are summed. */
const bucketsOf = (lines: readonly BillLine[]): Bucket[] => {
  const long = lines.filter(({ fromMs, toMs }) => toMs - fromMs > MS_PER_DAY)
  const spans = (long.length > 0 ? long : lines).map(({ fromMs, toMs }) => {
    if (toMs - fromMs >= MS_PER_DAY) return { fromMs, toMs }
    const start = Math.floor(fromMs / MS_PER_DAY) * MS_PER_DAY
    return { fromMs: start, toMs: start + MS_PER_DAY }
  })
  const unique = new Map(spans.map((span) => [span.fromMs, span]))
  return [...unique.values()].toSorted((left, right) => left.fromMs - right.fromMs)
}

/** Index of the bucket that holds a time; -1 outside the bill. */
export const bucketAt = (buckets: readonly Bucket[], timeMs: number): number => {
  let low = 0
  let high = buckets.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const bucket = buckets[middle]
    if (bucket === undefined || timeMs < bucket.fromMs) high = middle - 1
    else if (timeMs >= bucket.toMs) low = middle + 1
    else return middle
  }
  return -1
}

/** The meter of the bill that one of ours falls under. */
export const foldMeter = (meters: ReadonlySet<Meter>, meter: TokenMeter): TokenMeter => {
  if (meters.has(meter)) return meter
  const isWrite = meter.startsWith('in_cache_write')
  if (isWrite && meters.has('in_cache_write')) return 'in_cache_write'
  if (meter.startsWith('in') && meters.has('in')) return 'in'
  return meters.has('all') && !meters.has('out') ? 'all' : meter
}

export class CellGrid {
  readonly cells = new Map<string, Cell>()
  readonly grain: Grain

  constructor(grain: Grain) {
    this.grain = grain
  }

  at(place: Pick<Cell, 'provider' | 'model' | 'bucket' | 'meter' | 'tier'>): Cell {
    const { provider, model, bucket, meter, tier } = place
    const key = [provider, model, bucket, meter, tier].join('\n')
    const known = this.cells.get(key)
    if (known !== undefined) return known
    const cell: Cell = {
      provider,
      model,
      bucket,
      meter,
      tier,
      tokens: 0,
      pico: 0n,
      copiesPico: 0n,
      billedTokens: null,
      billedPico: null,
      billedCopiesPico: 0n,
      roundingPico: 0n,
      parts: {}
    }
    this.cells.set(key, cell)
    return cell
  }

  addCall(call: Call, bucket: number): void {
    const { provider } = call
    const model = this.grain.hasModels ? call.model : ANY_MODEL
    const tier = this.grain.hasTiers ? call.tier : null
    for (const [name, tokens] of Object.entries(call.tokens) as [TokenMeter, number][]) {
      const meter = foldMeter(this.grain.meters, name)
      const cell = this.at({ provider, model, bucket, meter, tier })
      if (call.isDuplicate) cell.copiesPico += call.pico[name] ?? 0n
      else {
        cell.tokens += tokens
        cell.pico += call.pico[name] ?? 0n
      }
    }
    for (const [name, count] of Object.entries(call.units)) {
      const where = this.grain.unitsHaveModels ? call.model : ANY_MODEL
      const meter: Meter = `unit:${name}`
      const cell = this.at({ provider, model: where, bucket, meter, tier: null })
      const pico = call.unitsPico[meter] ?? 0n
      if (call.isDuplicate) cell.copiesPico += pico
      else {
        cell.tokens += count
        cell.pico += pico
      }
    }
  }

  addLine(line: BillLine, model: string, bucket: number): void {
    const { meter } = line
    const isUnit = meter.startsWith('unit:')
    const cell = this.at({
      provider: billingProvider(line.provider),
      model: isUnit && !this.grain.unitsHaveModels ? ANY_MODEL : model,
      bucket,
      meter,
      tier: isUnit || !this.grain.hasTiers ? null : (line.tier ?? 'standard')
    })
    if (line.quantity !== null) cell.billedTokens = (cell.billedTokens ?? 0) + line.quantity
    if (line.amountPico === null) return
    cell.billedPico = (cell.billedPico ?? 0n) + line.amountPico
    cell.roundingPico += line.roundingPico
  }
}
