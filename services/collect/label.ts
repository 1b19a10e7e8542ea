import { FORBIDDEN_CHARACTERS, TEXT_LENGTH_MAX } from '../../schemas/event.ts'

const FORBIDDEN_EVERYWHERE = new RegExp(FORBIDDEN_CHARACTERS.source, 'gu')

/**
 * Text of another system as a label of ours: invisible characters become spaces, overlong text is
 * cut. Not for identities, which are refused when they are wrong. Null when nothing is left.
 */
export const label = (text: string | null | undefined): string | null => {
  if (text === null || text === undefined) return null
  const clean = text.replace(FORBIDDEN_EVERYWHERE, ' ').trim()
  return clean === '' ? null : cut(clean, TEXT_LENGTH_MAX)
}

/** Cuts without leaving half of a surrogate pair at the end. */
const cut = (text: string, length: number): string => {
  const short = text.slice(0, length)
  return /[\uD800-\uDBFF]$/.test(short) ? short.slice(0, -1) : short
}

/** As the schema bounds it. */
const FRACTION_DIGITS = 18

/** A number as the decimal string that `cost_reported_usd` takes, or null when it is none. */
export const decimalText = (value: unknown): string | null => {
  if (typeof value === 'string' && /^-?\d{1,18}(\.\d{1,18})?$/.test(value)) return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number) || Math.abs(number) >= 1e15)
    return null
  const plain = String(number)
  // Doubles have up to 17 digits behind their zeros, exponents below 1e-6; the field holds 18.
  const isFine = !plain.includes('e') && (plain.split('.')[1]?.length ?? 0) <= FRACTION_DIGITS
  return isFine ? plain : number.toFixed(FRACTION_DIGITS).replace(/\.?0+$/, '')
}
