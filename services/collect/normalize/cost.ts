import { isObject, objectAt, type Json } from './json.ts'

/** xAI states its charge in ticks of a tenth of a billionth of a dollar. */
const TICKS_DECIMALS = 10
/** Prices are whole pico-dollars; what stands behind them in a double is noise. */
const USD_DECIMALS = 12
/** A charge above this is not one of a single call; doubles are exact enough below it. */
const USD_MAX = 1_000_000

/** What the provider says that the call cost, as a decimal string in USD. */
export const costReported = (usage: Json | null): string | null => {
  if (usage === null) return null
  const ticks = usage['cost_in_usd_ticks']
  if (typeof ticks === 'number') return fromTicks(ticks)
  const cost = usage['cost']
  if (isObject(cost)) return decimal(cost['total_cost'])
  if (usage['is_byok'] !== true) return decimal(cost)
  const upstream = objectAt(usage, 'cost_details')?.['upstream_inference_cost']
  if (typeof cost !== 'number' || typeof upstream !== 'number') return null
  return decimal(cost + upstream)
}

const fromTicks = (ticks: number): string | null => {
  if (!Number.isSafeInteger(ticks) || ticks < 0) return null
  const digits = String(ticks).padStart(TICKS_DECIMALS + 1, '0')
  return trim(`${digits.slice(0, -TICKS_DECIMALS)}.${digits.slice(-TICKS_DECIMALS)}`)
}

const decimal = (value: unknown): string | null => {
  if (typeof value !== 'number' || !(value >= 0) || value > USD_MAX) return null
  return trim(value.toFixed(USD_DECIMALS))
}

const trim = (text: string): string => text.replace(/\.?0+$/, '')
