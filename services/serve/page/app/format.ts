/** Figures as people read them. Null is "not reported" and never looks like 0. */

export const NONE = '–'

const ROUNDED = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const SIGNIFICANT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
/** Below this every digit counts; above, three of them do. */
const WHOLE_MAX = 10_000

export type Amount = string | number | null | undefined

const numberOf = (value: Amount): number | null =>
  value === null || value === undefined || Number.isNaN(Number(value)) ? null : Number(value)

/** Dollars; small amounts keep two digits that say something. */
export const usd = (value: Amount): string => {
  const amount = numberOf(value)
  if (amount === null) return NONE
  const sign = amount < 0 ? '−' : ''
  const size = Math.abs(amount)
  if (size === 0) return '$0'
  if (size < 0.01) return `${sign}$${Number(size.toPrecision(2))}`
  return `${sign}$${size.toLocaleString('en', {
    minimumFractionDigits: size < 1000 ? 2 : 0,
    maximumFractionDigits: size < 1000 ? 2 : 0
  })}`
}

export const count = (value: Amount): string => {
  const amount = numberOf(value)
  if (amount === null) return NONE
  return Math.abs(amount) < WHOLE_MAX ? ROUNDED.format(amount) : SHORT.format(amount)
}

export const plain = (value: Amount): string => {
  const amount = numberOf(value)
  if (amount === null) return NONE
  return Math.abs(amount) < WHOLE_MAX ? SIGNIFICANT.format(amount) : SHORT.format(amount)
}

export const percent = (ratio: Amount): string => {
  const amount = numberOf(ratio)
  return amount === null ? NONE : `${SIGNIFICANT.format(amount * 100)} %`
}

export const J_PER_WH = 3600
const JOULES: readonly [number, string][] = [
  [1e6 * J_PER_WH, 'MWh'],
  [1000 * J_PER_WH, 'kWh'],
  [J_PER_WH, 'Wh'],
  [1, 'J']
]

/** Energy in the largest unit that leaves a number above 1. */
export const joules = (value: Amount): string => {
  const amount = numberOf(value)
  if (amount === null) return NONE
  const [size, unit] = JOULES.find(([least]) => Math.abs(amount) >= least) ?? [1, 'J']
  return `${SIGNIFICANT.format(amount / size)} ${unit}`
}

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export const duration = (ms: Amount): string => {
  const length = numberOf(ms)
  if (length === null) return NONE
  if (length < SECOND_MS) return `${ROUNDED.format(length)} ms`
  if (length < MINUTE_MS) return `${SIGNIFICANT.format(length / SECOND_MS)} s`
  if (length < HOUR_MS) return `${SIGNIFICANT.format(length / MINUTE_MS)} min`
  if (length < 2 * DAY_MS) return `${SIGNIFICANT.format(length / HOUR_MS)} h`
  return `${SIGNIFICANT.format(length / DAY_MS)} d`
}

const STEPS_S: readonly [number, string][] = [
  [604_800, 'week'],
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute']
]

/** A step of time, to follow "per" or "by": `minute`, `5 minutes`. */
export const step = (seconds: number): string => {
  const [size, unit] = STEPS_S.find(([one]) => seconds % one === 0) ?? [1, 'second']
  return seconds === size ? unit : `${seconds / size} ${unit}s`
}

/** `2026-03-02 09:30` in UTC, as all times of the product. */
export const time = (iso: string | null | undefined): string =>
  iso == null ? NONE : `${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')}Z`

/** The same to the millisecond: `2026-03-02 09:30:00.500Z`. */
export const instant = (iso: string): string => new Date(iso).toISOString().replace('T', ' ')

/** From here on a factor is easier to grasp than per cents: `×12` rather than `+1,100 %`. */
const FACTOR_MIN = 10

/** Change against before: `+12 %`, `×12`; null where there is nothing to compare with. */
export const change = (now: Amount, before: Amount): string | null => {
  const [after, past] = [numberOf(now), numberOf(before)]
  if (after === null || past === null || past === 0) return null
  const factor = after / past
  if (factor >= FACTOR_MIN) return `×${SIGNIFICANT.format(factor)}`
  const ratio = (after - past) / Math.abs(past)
  return `${ratio < 0 ? '−' : '+'}${SIGNIFICANT.format(Math.abs(ratio) * 100)} %`
}

/** A figure whose name carries its unit: `hit_rate_pct` 71.2 → `71.2 %`. */
export const figure = (name: string, value: Amount | boolean): string => {
  if (value === null || value === undefined) return NONE
  const amount = typeof value === 'number' || /^-?\d+(\.\d+)?$/.test(String(value))
  if (!amount) return String(value)
  const number = Number(value)
  if (/_pct(_|$)/.test(name)) return `${SIGNIFICANT.format(number)} %`
  if (/(^|_)usd(_|$)/.test(name)) return usd(number)
  if (name.endsWith('_ms')) return duration(number)
  if (/(_rate|_ratio|_share)$|^share$/.test(name)) return percent(number)
  if (name.endsWith('_j')) return joules(number)
  return plain(number)
}

/** `input_tokens_per_minute` → `input tokens per minute`; units that show in the figure go. */
export const label = (name: string): string =>
  name.replace(/_(pct|usd|ms|j)(?=_|$)/, '').replaceAll('_', ' ')
