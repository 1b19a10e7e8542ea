import { quoted } from '../../../services/lake/parquet-writer.ts'

/**
 * Ledger rows as FOCUS 1.2, Cost and Usage. Each column is an expression over the relation `r`, a
 * ledger row with its month's bounds. Types are those that the standard asks for: exact decimals,
 * times in UTC. Columns of our own come last, with the prefix `x_`.
 */
export type FocusColumn = { name: string; sql: string }

const TOKENS_PER_PRICE = 1_000_000

/** Decimals of money in the export: a pico-dollar has 12. */
const MONEY = 'DECIMAL(38, 12)'
const QUANTITY = 'DECIMAL(38, 6)'

/** Meters of tokens: what they are called, which way tokens go, what the cache does. */
const METERS: Readonly<Record<string, readonly [string, string, string | null]>> = {
  in_uncached: ['Uncached Input Tokens', 'Input', 'None'],
  in_tool_use: ['Tool Use Input Tokens', 'Input', 'None'],
  in_cache_read: ['Cache Read Input Tokens', 'Input', 'Read'],
  in_cache_write_5m: ['Cache Write 5m Input Tokens', 'Input', 'Write'],
  in_cache_write_30m: ['Cache Write 30m Input Tokens', 'Input', 'Write'],
  in_cache_write_1h: ['Cache Write 1h Input Tokens', 'Input', 'Write'],
  in_cache_write_12h: ['Cache Write 12h Input Tokens', 'Input', 'Write'],
  in_cache_write_unk: ['Cache Write Input Tokens', 'Input', 'Write'],
  out_text: ['Output Tokens', 'Output', null],
  out_reasoning: ['Reasoning Output Tokens', 'Output', null],
  in_audio: ['Audio Input Tokens', 'Input', 'None'],
  in_image: ['Image Input Tokens', 'Input', 'None'],
  in_video: ['Video Input Tokens', 'Input', 'None'],
  in_cached_audio: ['Audio Cache Read Input Tokens', 'Input', 'Read'],
  in_cached_image: ['Image Cache Read Input Tokens', 'Input', 'Read'],
  out_audio: ['Audio Output Tokens', 'Output', null],
  out_image: ['Image Output Tokens', 'Output', null]
}

const perMeter = (index: 0 | 1 | 2): string =>
  `CASE r.meter ${Object.entries(METERS)
    .map(
      ([meter, names]) =>
        `WHEN ${quoted(meter)} THEN ${names[index] === null ? 'NULL' : quoted(names[index])}`
    )
    .join(' ')} END`

const IS_TOKENS = `r.meter IN (${Object.keys(METERS).map(quoted).join(', ')})`
const IS_USAGE = "r.category = 'usage'"
/** Named apart from the price itself: a row of usage that nothing prices. */
const IS_PRICED = 'r.billed_pico IS NOT NULL'

const money = (pico: string): string =>
  `(coalesce(${pico}, 0)::DECIMAL(26, 0) * 0.000000000001)::${MONEY}`
const unitPrice = (pico: string): string =>
  `CASE WHEN ${IS_USAGE} THEN (${pico}::DECIMAL(26, 0) * (CASE WHEN ${IS_TOKENS} THEN ${TOKENS_PER_PRICE} ELSE 1 END)
    * 0.000000000001)::${MONEY} END`

/** Where nothing is listed, the standard takes the negotiated price for the list price. */
const list = `CASE WHEN ${IS_USAGE} THEN coalesce(r.list_pico, r.contracted_pico) ELSE r.billed_pico END`
const LIST_UNIT = 'coalesce(r.list_unit_pico, r.unit_pico)'
const contracted = `CASE WHEN ${IS_USAGE} THEN r.contracted_pico ELSE r.billed_pico END`
const PROVIDER = "coalesce(r.provider, 'unknown')"
const UNIT = `CASE WHEN NOT ${IS_USAGE} THEN NULL WHEN ${IS_TOKENS} THEN 'Tokens' ELSE 'Requests' END`
const SKU = `CASE WHEN ${IS_USAGE} THEN coalesce(r.model, 'unknown') || '/' || r.meter || coalesce(':' || r.service_tier, '') END`
const withoutNulls = (pairs: string): string =>
  `json_merge_patch('{}', json_object(${pairs}))::VARCHAR`

const column = (name: string, sql: string): FocusColumn => ({ name, sql })
const text = (name: string, sql: string): FocusColumn => column(name, `(${sql})::VARCHAR`)
const none = (name: string): FocusColumn => text(name, 'NULL')

export const FOCUS_COLUMNS: readonly FocusColumn[] = [
  column('BilledCost', money('r.billed_pico')),
  text('BillingAccountId', `coalesce(r.provider_account, ${PROVIDER} || '/default')`),
  text('BillingAccountName', `coalesce(r.provider_account, ${PROVIDER})`),
  text('BillingAccountType', "'Organization'"),
  text('BillingCurrency', "'USD'"),
  column('BillingPeriodEnd', 'r.period_end'),
  column('BillingPeriodStart', 'r.period_start'),
  text('ChargeCategory', `CASE WHEN ${IS_USAGE} THEN 'Usage' ELSE 'Adjustment' END`),
  text('ChargeClass', 'r.charge_class'),
  text(
    'ChargeDescription',
    `CASE WHEN ${IS_USAGE} THEN coalesce(r.model, 'unknown model') || ', ' || coalesce(${perMeter(0)}, r.meter)
       ELSE r.category || ': ' || coalesce(r.rule, '') END`
  ),
  text('ChargeFrequency', `CASE WHEN ${IS_USAGE} THEN 'Usage-Based' ELSE 'One-Time' END`),
  column('ChargePeriodEnd', 'r.charge_end'),
  column('ChargePeriodStart', 'r.charge_start'),
  none('CommitmentDiscountStatus'),
  column('ConsumedQuantity', `CASE WHEN ${IS_USAGE} THEN r.quantity::${QUANTITY} END`),
  text('ConsumedUnit', UNIT),
  column('ContractedCost', money(contracted)),
  column('ContractedUnitPrice', unitPrice('r.unit_pico')),
  column('EffectiveCost', money('r.billed_pico')),
  text('InvoiceId', 'r.invoice_id'),
  text('InvoiceIssuerName', PROVIDER),
  column('ListCost', money(list)),
  column('ListUnitPrice', unitPrice(LIST_UNIT)),
  text('PricingCategory', `CASE WHEN ${IS_USAGE} THEN 'Standard' END`),
  text('PricingCurrency', "'USD'"),
  column('PricingCurrencyContractedUnitPrice', unitPrice('r.unit_pico')),
  column('PricingCurrencyEffectiveCost', money('r.billed_pico')),
  column('PricingCurrencyListUnitPrice', unitPrice(LIST_UNIT)),
  column(
    'PricingQuantity',
    `CASE WHEN ${IS_USAGE} THEN (r.quantity::DECIMAL(26, 0) * (CASE WHEN ${IS_TOKENS} THEN 0.000001 ELSE 1.000000 END))::${QUANTITY} END`
  ),
  text(
    'PricingUnit',
    `CASE WHEN NOT ${IS_USAGE} THEN NULL WHEN ${IS_TOKENS} THEN '${TOKENS_PER_PRICE} Tokens' ELSE 'Requests' END`
  ),
  text('ProviderName', PROVIDER),
  text('PublisherName', PROVIDER),
  text('RegionId', 'r.region'),
  text('RegionName', 'r.region'),
  text('ResourceId', 'r.model'),
  text('ResourceName', 'r.model'),
  text('ResourceType', "CASE WHEN r.model IS NOT NULL THEN 'Model' END"),
  text('ServiceCategory', "'AI and Machine Learning'"),
  text('ServiceName', `${PROVIDER} || ' inference'`),
  text('ServiceSubcategory', "'Generative AI'"),
  text('SkuId', SKU),
  text(
    'SkuMeter',
    `CASE WHEN ${IS_USAGE} THEN coalesce(${perMeter(0)}, replace(substr(r.meter, 6), '_', ' ')) END`
  ),
  text(
    'SkuPriceDetails',
    `CASE WHEN ${IS_USAGE} AND ${IS_PRICED} THEN ${withoutNulls(
      `'x_ModelId', r.model, 'x_ServiceTier', r.service_tier, 'x_TokenDirection', ${perMeter(1)}, 'x_TokenCacheAction', ${perMeter(2)}`
    )} END`
  ),
  text('SkuPriceId', `CASE WHEN ${IS_USAGE} THEN r.price_id || '/' || r.meter END`),
  text('SubAccountId', 'r.tenant'),
  text('SubAccountName', 'r.tenant'),
  text('SubAccountType', "CASE WHEN r.tenant IS NOT NULL THEN 'Tenant' END"),
  text(
    'Tags',
    `json_merge_patch('{}', coalesce(r.tags, '{}')::JSON, json_object('project', r.project, 'team', r.team))::VARCHAR`
  ),
  text('x_AllocatedMethodId', "CASE WHEN r.category = 'allocation' THEN r.rule END"),
  text('x_AllocatedMethodDetails', "CASE WHEN r.category = 'allocation' THEN r.details END"),
  text('x_AllocatedResourceId', "CASE WHEN r.category = 'allocation' THEN r.origin_tenant END"),
  column('x_Booking', 'r.booking'),
  column('x_CacheSavedCost', `(r.saved_pico::DECIMAL(26, 0) * 0.000000000001)::${MONEY}`),
  text('x_CachePool', 'r.cache_pool'),
  text('x_DataQuality', `CASE WHEN ${IS_PRICED} THEN 'Priced' ELSE 'Unpriced' END`),
  column('x_EnergyJoules', '(r.energy_mid_uj::DECIMAL(26, 0) * 0.000001)::DECIMAL(38, 6)'),
  column('x_EnergyJoulesHigh', '(r.energy_high_uj::DECIMAL(26, 0) * 0.000001)::DECIMAL(38, 6)'),
  column('x_EnergyJoulesLow', '(r.energy_low_uj::DECIMAL(26, 0) * 0.000001)::DECIMAL(38, 6)'),
  column('x_LocalTokens', 'r.local_tokens'),
  column('x_ReportedTokens', 'r.reported_tokens'),
  column('x_SourceEventCount', 'r.calls'),
  text('x_TokenClass', `CASE WHEN ${IS_TOKENS} THEN r.meter END`),
  text('x_Waste', 'r.waste')
]
