import { Failure } from './failure.ts'

/**
 * Money as integer pico-dollars (1e-12 USD) in a bigint. Sums are exact; a price of $0.003 per
 * million tokens is still 3,000 units per token.
 */

export const PICO_DECIMALS = 12
export const PICO_PER_USD = 1_000_000_000_000n
export const PICO_PER_CENT = 10_000_000_000n

/** Longest decimal that is read: more digits than any price or bill needs, and a bound on work. */
const TEXT_LENGTH_MAX = 64
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

type Scaled = { pico: bigint; exact: boolean }

const scaled = (text: string): Scaled => {
  const match = text.length > TEXT_LENGTH_MAX ? null : DECIMAL.exec(text)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? []
  if (match === null || whole.length + fraction.length === 0) {
    throw new Failure('E_PRICE_BOOK', `"${text}" is not a decimal number`, {
      hint: 'Write money as a decimal string such as "0.0175392".'
    })
  }
  const shift = PICO_DECIMALS + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n
  const size = shift < 0 ? divideNearest(digits, divisor) : digits * 10n ** BigInt(shift)
  return { pico: sign === '-' ? -size : size, exact: digits % divisor === 0n }
}

/** Reads a decimal string in USD exactly; refuses what pico-dollars can not hold. */
export const parseUsd = (text: string): bigint => {
  const { pico, exact } = scaled(text)
  if (exact) return pico
  throw new Failure('E_PRICE_BOOK', `"${text}" has more than ${PICO_DECIMALS} decimals`, {
    hint: 'Round it to pico-dollars first.'
  })
}

/** Reads a decimal string or a JSON number in USD, rounded half away from zero to a pico-dollar. */
export const roundUsd = (value: string | number): bigint => scaled(String(value)).pico

/** Whether a decimal string or number is a whole number of pico-dollars. */
export const isWholePico = (value: string | number): boolean => scaled(String(value)).exact

/** The shortest decimal string in USD: `0.0175392`. */
export const formatUsd = (pico: bigint): string => {
  const size = pico < 0n ? -pico : pico
  const fraction = (size % PICO_PER_USD).toString().padStart(PICO_DECIMALS, '0').replace(/0+$/, '')
  const text = `${size / PICO_PER_USD}${fraction === '' ? '' : `.${fraction}`}`
  return pico < 0n ? `-${text}` : text
}

/** Price of a count of tokens or units. */
export const costPico = (pricePico: bigint, count: number): bigint => pricePico * BigInt(count)

/** Quotient rounded half away from zero; the divisor is positive. */
export const divideNearest = (dividend: bigint, divisor: bigint): bigint => {
  const size = dividend < 0n ? -dividend : dividend
  const quotient = (2n * size + divisor) / (2n * divisor)
  return dividend < 0n ? -quotient : quotient
}

/** Rounded half away from zero to a multiple of `unit`, a cent by default. */
export const roundToUnit = (pico: bigint, unit = PICO_PER_CENT): bigint =>
  divideNearest(pico, unit) * unit

/** Dollars with both digits of their cents, rounded half away from zero: `42.70`. */
export const formatDollars = (pico: bigint): string => {
  const cents = divideNearest(pico, PICO_PER_CENT)
  const size = cents < 0n ? -cents : cents
  return `${cents < 0n ? '-' : ''}${size / 100n}.${String(size % 100n).padStart(2, '0')}`
}

/**
 * Splits `total` over non-negative integer weights in whole multiples of `unit`, so that the parts
 * sum to `total` exactly: each part is rounded towards zero and the units left over go to the
 * largest remainders, the earlier part first on a tie. `total` must be a multiple of `unit`.
 */
export const allocate = (
  total: bigint,
  weights: readonly bigint[],
  unit = PICO_PER_CENT
): bigint[] => {
  const sum = weights.reduce((left, right) => left + right, 0n)
  if (total % unit !== 0n || sum <= 0n || weights.some((weight) => weight < 0n)) {
    throw new Failure('E_INTERNAL', `can not split ${total} in units of ${unit} by ${sum}`, {
      hint: 'Round the total to the unit and give at least one positive weight.'
    })
  }
  const sign = total < 0n ? -1n : 1n
  const units = (sign * total) / unit
  const shares = weights.map((weight, index) => ({
    index,
    whole: (units * weight) / sum,
    rest: (units * weight) % sum
  }))
  const left = Number(units - shares.reduce((done, { whole }) => done + whole, 0n))
  const lucky = new Set(
    shares
      .toSorted((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))
      .slice(0, left)
      .map(({ index }) => index)
  )
  return shares.map(({ whole, index }) => sign * unit * (whole + (lucky.has(index) ? 1n : 0n)))
}
