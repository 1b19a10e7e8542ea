import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { roundUsd } from '../../../schemas/money.ts'
import { canonicalProvider } from '../../../services/rates/prices/providers.ts'
import { canonicalTier } from '../../../services/rates/prices/service-tiers.ts'
import { parseCsv } from '../csv.ts'
import { defineImporter, type BillLine, type Meter } from '../bill.ts'
import { unreadable } from '../pages.ts'

const text = z.string().nullish()
const Row = z.looseObject({
  BilledCost: z.string(),
  BillingCurrency: text,
  ChargeCategory: text,
  ChargeClass: text,
  ChargeDescription: text,
  ChargePeriodStart: z.string(),
  ChargePeriodEnd: z.string(),
  ConsumedQuantity: text,
  ConsumedUnit: text,
  InvoiceId: text,
  PricingQuantity: text,
  PricingUnit: text,
  ProviderName: z.string(),
  ServiceName: text,
  SkuId: text,
  SkuMeter: text,
  SkuPriceDetails: text,
  ResourceName: text
})
export type FocusRow = z.infer<typeof Row>

/** Columns without which a line says nothing; the standard has them mandatory. */
const REQUIRED = ['BilledCost', 'ChargePeriodStart', 'ChargePeriodEnd', 'ProviderName']

/** Names that meters carry in exports, most exact first. Texts are lower case, `-_` are spaces. */
const METERS: readonly (readonly [RegExp, Meter])[] = [
  [/web search|search request/, 'unit:web_search'],
  [/code (?:execution|interpreter)/, 'unit:code_sessions'],
  [/(?:cache|cached).*(?:write|creation).*\b(?:1h|1 ?hour|60m)/, 'in_cache_write_1h'],
  [/(?:cache|cached).*(?:write|creation).*\b12h/, 'in_cache_write_12h'],
  [/(?:cache|cached).*(?:write|creation).*\b30m/, 'in_cache_write_30m'],
  [/(?:cache|cached).*(?:write|creation).*\b5m/, 'in_cache_write_5m'],
  [/(?:cache|cached).*(?:write|creation)|\bcache store/, 'in_cache_write'],
  [/cache.*read|cached.*(?:input|inp)|cchd|cache hit/, 'in_cache_read'],
  [/\bout(?:put|p)?\b|\bcompletion|\bresponse/, 'out'],
  [/\bin(?:put|p)?\b|\bprompt/, 'in_uncached']
]
const TIERS: readonly (readonly [RegExp, string])[] = [
  [/\bbatch\b/, 'batch'],
  [/\bflex\b/, 'flex'],
  [/\bpriority\b/, 'priority'],
  [/\bprovisioned\b|\breserved\b|\bptu\b/, 'commitment']
]
const CREDITS: readonly string[] = ['credit', 'tax', 'adjustment', 'purchase']
const PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [/aws|amazon/i, 'aws.bedrock'],
  [/microsoft|azure/i, 'azure.ai.openai'],
  [/google|gcp/i, 'gcp.vertex_ai']
]

const plain = (value: string): string => value.toLowerCase().replaceAll(/[-_./]/g, ' ')

/** Details keys of FOCUS and of other emitters, with or without the custom prefix. */
const detailsOf = (row: FocusRow): Record<string, string> => {
  try {
    const parsed: unknown = JSON.parse(row.SkuPriceDetails ?? '{}')
    const entries = Object.entries(typeof parsed === 'object' && parsed !== null ? parsed : {})
    return Object.fromEntries(
      entries.map(([name, value]) => [name.replace(/^x_/, '').toLowerCase(), String(value)])
    )
  } catch {
    return {}
  }
}

const sizeOf = (unit: string | null | undefined): number | null => {
  const lower = (unit ?? '').trim().toLowerCase()
  const match = /^([\d,_]*)\s*(?:([km])\s*)?(tokens?|requests?|searches|queries|units?)\b/.exec(
    lower
  )
  if (match === null) return null
  const [, digits = '', letter = ''] = match
  const scale = letter === 'k' ? 1000 : letter === 'm' ? 1_000_000 : 1
  return Number(digits.replaceAll(/[,_]/g, '') || '1') * scale
}

const quantityOf = (row: FocusRow): number | null => {
  const consumed = sizeOf(row.ConsumedUnit)
  if (consumed !== null && row.ConsumedQuantity) {
    return Math.round(Number(row.ConsumedQuantity) * consumed)
  }
  const priced = sizeOf(row.PricingUnit)
  if (priced === null || !row.PricingQuantity) return null
  return Math.round(Number(row.PricingQuantity) * priced)
}

const providerOf = (name: string): string =>
  PROVIDERS.find(([pattern]) => pattern.test(name))?.[1] ?? canonicalProvider(name)

/** The model stands in the details, else in front of the SKU, else in the resource. */
const modelOf = (row: FocusRow, details: Record<string, string>): string | null => {
  const custom = (row['x_Model'] ?? row['x_ModelId']) as string | null | undefined
  const named = details['modelid'] ?? details['model'] ?? custom ?? row.ResourceName
  if (named) return named.toLowerCase()
  const sku = row.SkuId?.split(/[/|:,]/)[0]
  return sku ? sku.toLowerCase() : null
}

const RFC_DECIMALS = /\.(\d+)/

const toLine = (row: FocusRow): BillLine => {
  const details = detailsOf(row)
  const provider = providerOf(row.ProviderName)
  const decimals = RFC_DECIMALS.exec(row.BilledCost)?.[1]?.length ?? 0
  return {
    provider,
    ...(row.InvoiceId ? { invoiceId: row.InvoiceId } : {}),
    model: modelOf(row, details),
    fromMs: timeOf(row.ChargePeriodStart),
    toMs: timeOf(row.ChargePeriodEnd),
    meter: meterOf(row, details),
    tier: canonicalTier(provider, tierOf(row, details), null),
    quantity: quantityOf(row),
    requests: null,
    amountPico: roundUsd(row.BilledCost),
    roundingPico: 10n ** BigInt(12 - Math.min(decimals, 12)) / 2n,
    label: row.ChargeDescription ?? row.SkuMeter ?? row.SkuId ?? '',
    identity: JSON.stringify(row)
  }
}

/** RFC 3339, or what a database prints for it: a blank between date and time, a bare offset. */
const timeOf = (text: string): number => {
  const time = text.trim().replace(' ', 'T').replace(/\+00$/, 'Z')
  const ms = Date.parse(
    /(?:Z|[+-]\d{2}:\d{2})$/.test(time) || time.length <= 10 ? time : `${time}Z`
  )
  if (Number.isNaN(ms)) throw new Failure('E_BILL_UNREADABLE', `"${text}" is not a time`)
  return ms
}

type Details = Readonly<Record<string, string>>

const meterOf = (row: FocusRow, details: Details): Meter => {
  if (CREDITS.includes((row.ChargeCategory ?? '').toLowerCase())) return 'credit'
  const { tokendirection: direction = '', tokencacheaction: action = '' } = details
  const cache = /read|write/i.test(action) ? `cache ${action}` : ''
  const words = [row.SkuMeter, `${cache} ${direction}`, row.ChargeDescription, row.SkuId]
  for (const word of words) {
    const found = METERS.find(([pattern]) => pattern.test(plain(word ?? '')))
    if (found !== undefined) return found[1]
  }
  return 'unknown'
}

const tierOf = (row: FocusRow, details: Details): string | null => {
  if (details['servicetier'] !== undefined) return details['servicetier']
  const words = [row.SkuMeter, row.ChargeDescription, row.SkuId, row['SkuPriceId']]
  const text = plain([...words, details['processing']].join(' '))
  return TIERS.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** Rows of a FOCUS file, from CSV here or from Parquet through a query. */
export const focusLines = (rows: readonly unknown[]): BillLine[] => {
  const parsed = rows.map((row) => {
    const result = Row.safeParse(row)
    if (!result.success) throw unreadable(result.error)
    if (result.data.BillingCurrency && result.data.BillingCurrency !== 'USD') {
      throw new Failure('E_BILL_UNREADABLE', `currency ${result.data.BillingCurrency}`, {
        hint: 'Bills in other currencies are not supported: export USD.'
      })
    }
    return toLine(result.data)
  })
  const told = new Set(parsed.filter(({ tier }) => tier !== 'standard').map((l) => l.provider))
  return parsed.map((line) => (told.has(line.provider) ? line : { ...line, tier: null }))
}

export default defineImporter({
  schema: 'FinOps Open Cost and Usage Specification 1.0 to 1.3, Cost and Usage, CSV or Parquet',
  read: (csv) => focusLines(parseCsv(csv, REQUIRED))
})
