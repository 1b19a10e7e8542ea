import { createHash } from 'node:crypto'
import type { BookRow, PriceWindow, RateCard, RateClass, Rates } from './book-row.ts'
import { findRows, type PriceBook } from './book.ts'
import { contractsFor, type Contract } from './contracts.ts'
import { canonicalProvider } from './providers.ts'
import { canonicalTier, COMMITMENT } from './service-tiers.ts'

/** What identifies the price of a call, apart from time and prompt size. */
export type PriceQuery = {
  provider: string | null
  request_model: string | null
  response_model: string | null
  service_tier: string | null
  region: string | null
  batch: boolean | null
  provider_account: string | null
}

/** Prices of a size band: calls whose whole prompt has at least `tokensMin` input tokens. */
export type Price = {
  id: string
  provider: string
  model: string
  tier: string
  tokensMin: number
  /** Pico-dollars per token, integers. */
  rates: Rates
  /** Pico-dollars per unit, integers. */
  units: Readonly<Record<string, number>>
  assumptions: readonly string[]
  row: BookRow
  contract: string | null
}

export type PriceAnswer =
  | { bands: readonly Price[]; unpriced: null }
  | { bands: null; unpriced: string }

const PERMILLE = 1000
const PPM = 1_000_000
const MS_PER_MINUTE = 60_000
const MINUTES_PER_DAY = 1440

/** The price bands of a call at a time, smallest prompts first, or why there are none. */
export const priceAt = (book: PriceBook, query: PriceQuery, timeMs: number): PriceAnswer => {
  const model = query.response_model ?? query.request_model
  if (model === null) return unpriced('no model')
  const { rows, assumptions } = findRows(book, query.provider, model)
  if (rows.length === 0) return unpriced(`no price of model ${model}`)
  const row = rowAt(rows, query.region, timeMs)
  if (row === undefined) return unpriced(`no price of model ${model} at this time`)
  const tier = canonicalTier(row.provider, query.service_tier, query.batch)
  const card = cardAt(row, tier, timeMs)
  if (card === null) return unpriced(`no price of model ${model} in service tier ${tier}`)
  const provider = query.provider === null ? row.provider : canonicalProvider(query.provider)
  const contracts = contractsFor(book.contracts, {
    provider,
    model: row.model,
    account: query.provider_account
  }).filter((contract) => inPeriod(contract.from, contract.to, timeMs))
  const factor = regionFactor(row, query.region)
  const context = { row, tier, provider, contracts, factor, assumptions, region: query.region }
  return { bands: bandsOf(card).map((band) => finish(band, context)), unpriced: null }
}

const unpriced = (reason: string): PriceAnswer => ({ bands: null, unpriced: reason })

/** Rows of the region itself win over rows for every region. */
const rowAt = (
  rows: readonly BookRow[],
  region: string | null,
  timeMs: number
): BookRow | undefined => {
  const live = rows.filter((row) => inPeriod(row.from ?? null, row.to ?? null, timeMs))
  const wanted = region?.toLowerCase()
  return (
    live.find((row) => row.region !== undefined && row.region === wanted) ??
    live.find((row) => row.region === undefined)
  )
}

export const inPeriod = (from: string | null, to: string | null, timeMs: number): boolean =>
  (from === null || Date.parse(from) <= timeMs) && (to === null || timeMs < Date.parse(to))

const cardAt = (row: BookRow, tier: string, timeMs: number): RateCard | null => {
  if (tier === COMMITMENT) return { rates: zeroRates(row) }
  if (tier === 'standard') {
    const window = row.windows?.find((candidate) => isInWindow(candidate, timeMs))
    return window?.card ?? row.cards['standard'] ?? null
  }
  const own = row.cards[tier]
  if (own !== undefined) return own
  const permille = row.tierPermille?.[tier]
  const standard = row.cards['standard']
  if (permille === undefined || standard === undefined) return null
  return scaleCard(standard, permille)
}

/** Capacity that was paid for apart has a marginal price, and it is zero. */
const zeroRates = (row: BookRow): Rates =>
  Object.fromEntries(Object.keys(row.cards['standard']?.rates ?? {}).map((name) => [name, 0]))

export const isInWindow = ({ minutes, weekdays }: PriceWindow, timeMs: number): boolean => {
  const date = new Date(timeMs)
  const weekday = date.getUTCDay() === 0 ? 7 : date.getUTCDay()
  const minute = Math.floor(timeMs / MS_PER_MINUTE) % MINUTES_PER_DAY
  return (
    weekdays.includes(weekday) && minutes.some(([start, end]) => minute >= start && minute < end)
  )
}

const scaleRates = (rates: Rates, numerator: number, denominator: number): Rates =>
  Object.fromEntries(
    Object.entries(rates).map(([name, pico]) => [
      name,
      Math.round((pico * numerator) / denominator)
    ])
  )

const scaleCard = (card: RateCard, permille: number): RateCard => ({
  rates: scaleRates(card.rates, permille, PERMILLE),
  ...(card.sizes && {
    sizes: card.sizes.map(({ tokens, rates }) => ({
      tokens,
      rates: scaleRates(rates, permille, PERMILLE)
    }))
  })
})

const regionFactor = (row: BookRow, region: string | null): number => {
  const wanted = region?.toLowerCase()
  if (wanted === undefined || row.region !== undefined) return PERMILLE
  const everywhere = wanted === 'global' ? undefined : row.regionPermille?.['*']
  return row.regionPermille?.[wanted] ?? everywhere ?? PERMILLE
}

type Band = { tokensMin: number; rates: Rates }

/** A class without a price in the larger tier keeps the price of the tier below. */
const bandsOf = (card: RateCard): Band[] => {
  const bands: Band[] = [{ tokensMin: 0, rates: card.rates }]
  for (const { tokens, rates } of card.sizes ?? []) {
    bands.push({ tokensMin: tokens, rates: { ...bands.at(-1)?.rates, ...rates } })
  }
  return bands
}

type Context = {
  row: BookRow
  tier: string
  provider: string
  contracts: readonly Contract[]
  factor: number
  assumptions: readonly string[]
  region: string | null
}

const finish = (band: Band, context: Context): Price => {
  const { row, tier, factor } = context
  const listed = factor === PERMILLE ? band.rates : scaleRates(band.rates, factor, PERMILLE)
  const rates = negotiate(listed, context)
  const units = { ...row.units, ...Object.assign({}, ...context.contracts.map((c) => c.units)) }
  const contract = context.contracts.map(({ id }) => id).join('+') || null
  const where = row.region ?? (factor === PERMILLE ? null : context.region?.toLowerCase())
  const id = [
    `${row.provider}/${row.model}`,
    where ? `~${where}` : '',
    `:${tier}`,
    band.tokensMin === 0 ? '' : `>=${band.tokensMin}`,
    `@${row.from ?? 'start'}`,
    contract === null ? '' : `+${contract}`,
    `#${fingerprint(rates, units)}`
  ].join('')
  return {
    id,
    provider: context.provider,
    model: row.model,
    tier,
    tokensMin: band.tokensMin,
    rates,
    units,
    assumptions: context.assumptions,
    row,
    contract
  }
}

/** The nearest contract's discount comes off list prices; negotiated rates replace them. */
const negotiate = (listed: Rates, { contracts, tier }: Context): Rates => {
  const discount = contracts.find(
    ({ discountPpm, tiers }) =>
      discountPpm > 0 && tier !== COMMITMENT && tiers?.includes(tier) !== false
  )
  const start = discount ? scaleRates(listed, PPM - discount.discountPpm, PPM) : listed
  return contracts
    .filter(({ tiers }) => tiers?.includes(tier) ?? tier === 'standard')
    .reduceRight((rates, contract) => ({ ...rates, ...contract.rates }), start)
}

const sorted = (record: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1))

const fingerprint = (rates: Rates, units: Readonly<Record<string, number>>): string =>
  createHash('sha256')
    .update(JSON.stringify([sorted(rates), sorted(units)]))
    .digest('hex')
    .slice(0, 8)

/** The band of a prompt of `inTotal` input tokens; an unknown size is the smallest. */
export const bandFor = (bands: readonly Price[], inTotal: number | null): Price => {
  const band = bands.findLast(({ tokensMin }) => (inTotal ?? 0) >= tokensMin) ?? bands[0]
  if (band === undefined) throw new RangeError('a price has at least one band')
  return band
}

/** Rate of a class with what stands in for it when it has no price of its own. */
export type ResolvedRate = { pico: number | null; assumed: RateClass | null }

/**
 * A provider that lists no price for reading or writing its cache charges plain input; reasoning
 * is output. A longer time to live is never priced as a shorter one, since it costs more.
 */
export const resolveRate = (rates: Rates, name: RateClass): ResolvedRate => {
  const own = rates[name]
  if (own !== undefined) return { pico: own, assumed: null }
  const stand = standIn(rates, name)
  return { pico: stand === null ? null : (rates[stand] ?? null), assumed: stand }
}

const standIn = (rates: Rates, name: RateClass): RateClass | null => {
  if (name === 'read' || name === 'write') return 'in'
  if (name === 'reasoning') return 'out'
  if (name === 'write_1h' || name === 'write_12h') return rates.write === undefined ? 'in' : null
  if (name.startsWith('out_')) return 'out'
  if (name.startsWith('read_')) return rates.read === undefined ? 'in' : 'read'
  return name.startsWith('in_') ? 'in' : null
}
