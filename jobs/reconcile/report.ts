import { allocate, formatUsd, parseUsd } from '../../schemas/money.ts'
import { CAUSES, type Cause } from './causes.ts'
import { gapOf, type Cell } from './cells.ts'
import { sumCauses, sumGaps, type ProviderGap, type Reconciliation } from './reconcile.ts'
import { groupBy } from './working.ts'

/** A reconciliation as commands and the API print it: dollars as decimal strings. */

type Usd = string
type ByCause = Partial<Record<Cause, Usd>>

export type GapCell = {
  provider: string
  day: string
  model: string
  token_class: string
  tier: string | null
  ours_tokens: number
  billed_tokens: number | null
  ours_usd: Usd
  billed_usd: Usd
  gap_usd: Usd
  causes: ByCause
}

export type GapFinding = {
  provider: string
  cause: Cause
  /** `over`: the bill asks for more than we recorded. */
  direction: 'over' | 'under'
  usd: Usd
  models: string[]
  first_day: string
  last_day: string
  summary: string
}

export type GapReport = {
  totals: {
    ours_usd: Usd
    billed_usd: Usd
    gap_usd: Usd
    unexplained_usd: Usd
    error_bar_usd: Usd
  }
  /** `usd` is the sum; what moves between days cancels in it, but not in `over_usd`, `under_usd`. */
  causes: { cause: Cause; usd: Usd; over_usd: Usd; under_usd: Usd; meaning: string }[]
  findings: GapFinding[]
  remarks: { provider: string; remark: string }[]
  tenants: { tenant: string | null; gap_usd: Usd }[]
  cells: GapCell[]
}

/** Models that one finding names; the cells name them all. */
const MODELS_SHOWN = 5
const MS_PER_DAY = 86_400_000

/** `floorUsd`: differences below it are no findings. */
export const reportGap = (found: Reconciliation, floorUsd: string): GapReport => {
  const floor = parseUsd(floorUsd)
  const cells = found.providers.flatMap((part) => part.cells)
  const rounding = cells.reduce((sum, { roundingPico }) => sum + roundingPico, 0n)
  const error = found.providers.reduce((sum, { errorPico }) => sum + errorPico, 0)
  return {
    totals: {
      ours_usd: formatUsd(found.oursPico),
      billed_usd: formatUsd(found.billedPico),
      gap_usd: formatUsd(found.billedPico - found.oursPico),
      unexplained_usd: formatUsd(found.causes.unexplained ?? 0n),
      error_bar_usd: formatUsd(rounding + BigInt(Math.round(error)))
    },
    causes: causesOf(sumSizes(cells)).map(([cause]) => {
      const parts = cells.map((cell) => cell.parts[cause] ?? 0n)
      return {
        cause,
        usd: formatUsd(sum(parts)),
        over_usd: formatUsd(sum(parts.filter((pico) => pico > 0n))),
        under_usd: formatUsd(sum(parts.filter((pico) => pico < 0n))),
        meaning: CAUSES[cause]
      }
    }),
    findings: found.providers.flatMap((part) => findingsOf(part, floor)),
    remarks: found.providers.flatMap(({ provider, remarks }) =>
      remarks.map((remark) => ({ provider, remark }))
    ),
    tenants: tenantsOf(found.providers),
    cells: found.providers.flatMap((part) =>
      part.cells.filter(isShown).map((cell) => cellOf(cell, part))
    )
  }
}

const sum = (parts: readonly bigint[]): bigint => parts.reduce((total, pico) => total + pico, 0n)

const size = (pico: bigint): bigint => (pico < 0n ? -pico : pico)

/** Largest first. */
const causesOf = (causes: Partial<Record<Cause, bigint>>): [Cause, bigint][] =>
  (Object.entries(causes) as [Cause, bigint][])
    .filter(([, pico]) => pico !== 0n)
    .toSorted(([, left], [, right]) => (size(left) > size(right) ? -1 : 1))

const dayOf = ({ bucket }: Cell, { buckets }: ProviderGap): string =>
  new Date(buckets[bucket]?.fromMs ?? 0).toISOString().slice(0, 10)

const isShown = (cell: Cell): boolean =>
  gapOf(cell) !== 0n || cell.tokens !== 0 || (cell.billedPico ?? 0n) !== 0n

const cellOf = (cell: Cell, part: ProviderGap): GapCell => ({
  provider: cell.provider,
  day: dayOf(cell, part),
  model: cell.model,
  token_class: cell.meter,
  tier: cell.tier,
  ours_tokens: cell.tokens,
  billed_tokens: cell.billedTokens,
  ours_usd: formatUsd(cell.pico + cell.copiesPico),
  billed_usd: formatUsd(cell.billedPico ?? 0n),
  gap_usd: formatUsd(gapOf(cell)),
  causes: Object.fromEntries(
    causesOf(cell.parts).map(([cause, pico]) => [cause, formatUsd(pico)])
  ) as ByCause
})

/** What moves between days cancels in a sum: a finding counts what is over and what is under. */
const findingsOf = (part: ProviderGap, floor: bigint): GapFinding[] =>
  causesOf(sumSizes(part.cells)).flatMap(([cause]) =>
    (['over', 'under'] as const).flatMap((direction) => {
      const cells = part.cells.filter((cell) => {
        const pico = cell.parts[cause] ?? 0n
        return direction === 'over' ? pico > 0n : pico < 0n
      })
      const pico = cells.reduce((sum, cell) => sum + (cell.parts[cause] ?? 0n), 0n)
      return size(pico) < floor || cause === 'rounding'
        ? []
        : [finding(part, { cause, cells, pico })]
    })
  )

const sumSizes = (cells: readonly Cell[]): Partial<Record<Cause, bigint>> =>
  sumCauses(
    cells.map((cell) => ({
      ...cell,
      parts: Object.fromEntries(
        Object.entries(cell.parts).map(([cause, pico]) => [cause, size(pico)])
      )
    }))
  )

const finding = (
  part: ProviderGap,
  { cause, cells, pico }: { cause: Cause; cells: readonly Cell[]; pico: bigint }
): GapFinding => {
  const days = cells.map((cell) => dayOf(cell, part)).toSorted()
  const byModel = [...groupBy(cells, ({ model }) => model)]
    .map(([model, own]) => ({
      model,
      pico: size(own.reduce((sum, cell) => sum + (cell.parts[cause] ?? 0n), 0n))
    }))
    .toSorted((left, right) => (left.pico > right.pico ? -1 : 1))
  const direction = pico > 0n ? 'over' : 'under'
  const models = byModel.slice(0, MODELS_SHOWN).map(({ model }) => model)
  const [first = '', last = ''] = [days[0], days.at(-1)]
  const amount = formatUsd(size(pico))
  return {
    provider: part.provider,
    cause,
    direction,
    usd: formatUsd(pico),
    models,
    first_day: first,
    last_day: last,
    summary: `${part.provider} bills $${amount} ${direction === 'over' ? 'more' : 'less'} than recorded, ${first} to ${last}: ${CAUSES[cause]}`
  }
}

/** Every cell's gap is shared among its tenants by what they spent there, to the pico-dollar. */
const tenantsOf = (providers: readonly ProviderGap[]): GapReport['tenants'] => {
  const sums = new Map<string | null, bigint>()
  const add = (tenant: string | null, pico: bigint): void =>
    void sums.set(tenant, (sums.get(tenant) ?? 0n) + pico)
  for (const part of providers) {
    const spent = spending(part)
    for (const [key, cells] of groupBy(part.cells, ({ model, bucket }) => `${model}\n${bucket}`)) {
      const gap = sumGaps(cells)
      const tenants = [...(spent.get(key) ?? [])].filter(([, pico]) => pico > 0n)
      if (tenants.length === 0) add(null, gap)
      else {
        const shares = allocate(
          gap,
          tenants.map(([, pico]) => pico),
          1n
        )
        tenants.forEach(([tenant], index) => add(tenant, shares[index] ?? 0n))
      }
    }
  }
  return [...sums]
    .filter(([, pico]) => pico !== 0n)
    .map(([tenant, pico]) => ({ tenant, gap_usd: formatUsd(pico) }))
}

/** Cost by model and bucket, then tenant. */
const spending = (part: ProviderGap): Map<string, Map<string, bigint>> => {
  const spent = new Map<string, Map<string, bigint>>()
  for (const call of part.calls) {
    const bucket = part.buckets.findIndex(
      ({ fromMs, toMs }) => call.timeMs >= fromMs && call.timeMs < toMs
    )
    const pico = Object.values(call.pico).reduce((sum, cost) => sum + cost, 0n)
    for (const model of [call.model, '*']) {
      const key = `${model}\n${bucket}`
      const tenants = spent.get(key) ?? new Map<string, bigint>()
      tenants.set(call.tenant, (tenants.get(call.tenant) ?? 0n) + pico)
      spent.set(key, tenants)
    }
  }
  return spent
}

/** First and last day of the bill. */
export const periodOf = (found: Reconciliation): { from: string | null; to: string | null } => {
  const times = found.providers.flatMap(({ buckets }) =>
    buckets.flatMap(({ fromMs, toMs }) => [fromMs, toMs - MS_PER_DAY])
  )
  if (times.length === 0) return { from: null, to: null }
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  return { from: day(Math.min(...times)), to: day(Math.max(...times)) }
}
