import type { Column } from './tables.ts'

/**
 * The ledger of charges and what is read from it. `charges` only grows: what was booked stays, a
 * later truth is booked as the difference. So the sum over any rows that were ever handed out is
 * right, and what was known at a booking is the rows up to it.
 */

const text = (name: string, comment: string): Column => ({ name, type: 'VARCHAR', comment })
const whole = (name: string, comment: string): Column => ({ name, type: 'BIGINT', comment })
const time = (name: string, comment: string): Column => ({ name, type: 'TIMESTAMPTZ', comment })

/** What tells two charges apart; the differences of a booking are taken by these. */
export const CHARGE_KEYS: readonly Column[] = [
  text('category', 'usage, adjustment (to a provider bill) or allocation (of shared costs).'),
  time('charge_start', 'Start of the day or month that is charged for.'),
  time('charge_end', 'End of it, exclusive.'),
  text('tenant', 'Who pays; null = unallocated.'),
  text('project', 'Project within the tenant.'),
  text('team', 'Team within the tenant.'),
  text('tags', 'Labels that the rules keep, a JSON object.'),
  text('provider', 'Who served.'),
  text('provider_account', 'Account at the provider.'),
  text('model', 'Model that served.'),
  text('service_tier', 'Service tier of the price.'),
  text('region', 'Region that served.'),
  text('cache_pool', 'Prompt cache shared by tenants.'),
  text('meter', 'Token bucket, unit:<name>, calls; of adjustments and allocations the line.'),
  text('waste', 'retry, invalid_output or refusal; null = none of them.'),
  text('price_id', 'Row of the price book; null = unpriced.'),
  whole('list_unit_pico', 'Public list price of one unit of quantity, pico-dollars.'),
  whole('unit_pico', 'Negotiated price of one unit of quantity, pico-dollars.'),
  text('rule', 'Allocation rule, or what an adjustment is for.'),
  text('origin_tenant', 'Tenant that an allocated cost comes from.')
]

/** What is added up, and so what a correction corrects. */
export const CHARGE_MEASURES: readonly Column[] = [
  whole('quantity', 'Tokens, units or calls; null where money has no quantity.'),
  whole('list_pico', 'At public list prices, pico-dollars; null = unpriced.'),
  whole('contracted_pico', 'At negotiated prices, pico-dollars; null = unpriced.'),
  whole('billed_pico', 'What the tenant is charged, pico-dollars; null = unpriced.'),
  whole('metered_pico', 'As priced when metered, pico-dollars; on rows of calls.'),
  whole('saved_pico', 'Less than the same tokens without a cache, pico-dollars.'),
  whole('late', 'Events that came after their hour had closed; on rows of calls.'),
  whole('energy_low_uj', 'Energy in microjoules, low end, 80 %; on rows of calls.'),
  whole('energy_mid_uj', 'Energy in microjoules, central estimate.'),
  whole('energy_high_uj', 'Energy in microjoules, high end, 80 %.'),
  whole('local_tokens', 'Tokens counted on our side, calls with both counts.'),
  whole('reported_tokens', 'Tokens reported by the provider for the same calls.')
]

export const CHARGE_COLUMNS: readonly Column[] = [
  whole('booking', 'Which booking wrote the row: 1, 2, 3 …'),
  text('month', 'Month whose statement the row is on, YYYY-MM.'),
  text('charge_class', 'Correction when the charge belongs to an earlier, closed month.'),
  ...CHARGE_KEYS,
  ...CHARGE_MEASURES,
  text('details', 'Evidence: ratio and basis of an allocation, finding, causes; JSON.')
]

export const STATEMENT_COLUMNS: readonly Column[] = [
  text('month', 'Month, YYYY-MM.'),
  text('tenant', 'Who pays; null = unallocated.'),
  text(
    'section',
    'total; model, meter, project, team, day split it; correction, adjustment, allocation, cache, waste, energy, calls, unpriced point into it.'
  ),
  text('item', 'What the line is for, within its section.'),
  whole('quantity', 'Tokens, units, calls or microjoules.'),
  text('unit', 'Unit of the quantity.'),
  whole('cost_pico', 'Exact, pico-dollars; null = unpriced.'),
  whole('cents', 'Rounded so that lines sum to their total; null = not an amount due.'),
  whole('low', 'Low end of an estimate, 80 %.'),
  whole('high', 'High end of an estimate, 80 %.')
]

export const BILL_COLUMNS: readonly Column[] = [
  whole('import', 'Which import brought the line: 1, 2, 3 …'),
  text('file_sha256', 'Hash of the file: the same file is imported once.'),
  text('dialect', 'Kind of export.'),
  text('provider', 'Who bills.'),
  text('invoice_id', 'Invoice that the line is on; null = not invoiced yet, or not told.'),
  text('model', 'Model as the bill names it; null = a charge without one.'),
  time('bucket_start', 'Start of the stretch that the line sums over.'),
  time('bucket_end', 'End of it, exclusive.'),
  text('meter', 'Token class, unit:<name>, credit or unknown.'),
  text('tier', 'Service tier; null = not told apart.'),
  { name: 'quantity', type: 'DOUBLE', comment: 'Tokens or units; null = not told.' },
  { name: 'requests', type: 'DOUBLE', comment: 'Calls behind the line; null = not told.' },
  whole('amount_pico', 'Money, pico-dollars; null in a usage report.'),
  whole('rounding_pico', 'Half of the last digit that the bill prints.'),
  text('label', 'Text of the line as the bill has it.'),
  text('identity', 'Every field that tells the line from others.')
]
