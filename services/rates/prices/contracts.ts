import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { roundUsd } from '../../../schemas/money.ts'
import { RATE_CLASSES, type BookRow, type RateClass, type Rates } from './book-row.ts'
import { canonicalProvider } from './providers.ts'

/** Tokens per million: contract files state prices the way price lists do. */
const TOKENS_PER_MILLION = 1_000_000n

const decimal = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => /^\d{1,9}(\.\d{1,12})?$/.test(text), 'a decimal number such as "2.40"')
const usdPerMillion = z.partialRecord(z.enum(RATE_CLASSES), decimal)
const usdPerUnit = z.record(z.string(), decimal)
const day = z.iso.date()

const contract = z
  .strictObject({
    id: z.string().min(1),
    provider: z.string().min(1),
    provider_account: z.string().min(1).optional(),
    /** Exact names, or a prefix followed by `*`. Absent = every model. */
    models: z.array(z.string().min(1)).optional(),
    /** Service tiers it covers. Absent = every tier for a discount, standard for rates. */
    tiers: z.array(z.string().min(1)).optional(),
    from: day.optional(),
    to: day.optional(),
    discount_pct: decimal.optional(),
    usd_per_million: usdPerMillion.optional(),
    usd_per_unit: usdPerUnit.optional()
  })
  .refine(({ discount_pct }) => Number(discount_pct ?? 0) <= 100, 'a discount of at most 100 %')

const customModel = z.strictObject({
  provider: z.string().min(1),
  model: z.string().min(1),
  aliases: z.array(z.string().min(1)).optional(),
  from: day.optional(),
  to: day.optional(),
  usd_per_million: usdPerMillion,
  /** Prices of the whole call from so many input tokens on, rising. */
  sizes: z
    .array(z.strictObject({ tokens: z.int().positive(), usd_per_million: usdPerMillion }))
    .optional(),
  batch_usd_per_million: usdPerMillion.optional(),
  usd_per_unit: usdPerUnit.optional()
})

const ContractFile = z.strictObject({
  contracts: z.array(contract).default([]),
  models: z.array(customModel).default([])
})

/** A negotiated price or discount. Rates are pico-dollars per token. */
export type Contract = {
  id: string
  provider: string
  account: string | null
  models: readonly string[] | null
  tiers: readonly string[] | null
  from: string | null
  to: string | null
  /** Discount in millionths of the price. */
  discountPpm: number
  rates: Rates
  units: Readonly<Record<string, number>>
}

/** Reads a file of negotiated prices and custom models, YAML or JSON. */
export const parseContracts = (text: string): { contracts: Contract[]; rows: BookRow[] } => {
  const file = ContractFile.safeParse(parse(text))
  if (!file.success) {
    const [issue] = file.error.issues
    throw new Failure('E_PRICE_BOOK', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
      hint: 'Fix the file of negotiated prices.'
    })
  }
  return {
    contracts: file.data.contracts.map(toContract),
    rows: file.data.models.map(toRow)
  }
}

const toContract = (entry: z.infer<typeof contract>): Contract => ({
  id: entry.id,
  provider: canonicalProvider(entry.provider),
  account: entry.provider_account ?? null,
  models: entry.models?.map((name) => name.toLowerCase()) ?? null,
  tiers: entry.tiers ?? null,
  from: entry.from ?? null,
  to: entry.to ?? null,
  discountPpm: Number(roundUsd(entry.discount_pct ?? '0') / 100_000_000n),
  rates: perToken(entry.usd_per_million ?? {}),
  units: perUnit(entry.usd_per_unit ?? {})
})

const toRow = (entry: z.infer<typeof customModel>): BookRow => ({
  provider: canonicalProvider(entry.provider),
  model: entry.model,
  ...(entry.aliases && { aliases: entry.aliases.map((name) => name.toLowerCase()) }),
  ...(entry.from && { from: entry.from }),
  ...(entry.to && { to: entry.to }),
  sources: ['contract'],
  cards: {
    standard: {
      rates: perToken(entry.usd_per_million),
      ...(entry.sizes && {
        sizes: entry.sizes.map(({ tokens, usd_per_million: usd }) => ({
          tokens,
          rates: perToken(usd)
        }))
      })
    },
    ...(entry.batch_usd_per_million && { batch: { rates: perToken(entry.batch_usd_per_million) } })
  },
  units: perUnit(entry.usd_per_unit ?? {})
})

const perToken = (rates: Partial<Record<RateClass, string>>): Rates =>
  Object.fromEntries(
    Object.entries(rates).map(([name, usd]) => [name, Number(roundUsd(usd) / TOKENS_PER_MILLION)])
  )

const perUnit = (units: Record<string, string>): Record<string, number> =>
  Object.fromEntries(Object.entries(units).map(([name, usd]) => [name, Number(roundUsd(usd))]))

/** The contracts that cover a model at an account, the ones of that account first. */
export const contractsFor = (
  contracts: readonly Contract[],
  call: { provider: string; model: string; account: string | null }
): Contract[] =>
  contracts
    .filter(({ provider }) => provider === call.provider)
    .filter(({ account }) => account === null || account === call.account)
    .filter(({ models }) => models === null || models.some((name) => covers(name, call.model)))
    .toSorted((left, right) => Number(left.account === null) - Number(right.account === null))

const covers = (pattern: string, model: string): boolean =>
  pattern.endsWith('*')
    ? model.toLowerCase().startsWith(pattern.slice(0, -1))
    : model.toLowerCase() === pattern
