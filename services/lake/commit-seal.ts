import { withFlippedBitRight } from './flipped-bit.ts'
import { sealOf, type Seal } from './seal.ts'

/**
 * A Delta commit carries the seal of its own text as the first member of `commitInfo`, where the
 * protocol lets a writer say what it likes: 64 digits of SHA-256 and 8 of CRC-32C, made while these
 * digits were zeros. A changed commit is then seen by whoever reads it, whatever it still says.
 */

const START = '{"commitInfo":{'
const OPEN = `${START}"seal":"`
const DIGITS = 72
const SHA_DIGITS = 64
const CLOSE = '",'
const ZEROS = '0'.repeat(DIGITS)
const BODY = OPEN.length + DIGITS

/** The commit with its seal; text that does not start with its information has none. */
export const sealed = (text: string): string => {
  if (!text.startsWith(START)) return text
  const open = `${OPEN}${ZEROS}${CLOSE}${text.slice(START.length)}`
  return `${OPEN}${digitsOf(sealOf(Buffer.from(open)))}${open.slice(BODY)}`
}

/** The commit as it was before it was sealed. */
export const unsealed = (text: string): string =>
  text.startsWith(OPEN) ? `${START}${text.slice(BODY + CLOSE.length)}` : text

/** `none` = written by another program, or its very first bytes changed. */
export const sealState = (bytes: Uint8Array): 'whole' | 'broken' | 'none' => {
  const text = Buffer.from(bytes)
  if (text.toString('latin1', 0, OPEN.length) !== OPEN) return 'none'
  return digitsOf(sealOf(zeroed(text))) === writtenDigits(text) ? 'whole' : 'broken'
}

/** The commit with its one flipped bit set right; null when that is not what happened to it. */
export const mendedCommit = (bytes: Uint8Array): Uint8Array | null => {
  if (bytes.length < BODY + CLOSE.length) return null
  const text = Buffer.from(bytes)
  // What stands before the digits is always the same.
  text.write(OPEN, 0, 'latin1')
  if (sealState(text) === 'whole') return text
  const open = zeroed(text)
  const seal = sealOf(open)
  // A bit of the seal itself: one of its two sums still holds, and a body has both.
  const digits = writtenDigits(text)
  const [sha256, crc] = [digits.slice(0, SHA_DIGITS), digits.slice(SHA_DIGITS)]
  if (sha256 === seal.sha256 || crc === crcDigits(seal)) return withDigits(open, digitsOf(seal))
  const wanted = { bytes: text.length, sha256, crc32c: Number.parseInt(crc, 16) }
  const body = withFlippedBitRight(open, wanted)
  return body === null ? null : withDigits(Buffer.from(body), digits)
}

const zeroed = (text: Buffer): Buffer => withDigits(text, ZEROS)

const withDigits = (text: Buffer, digits: string): Buffer => {
  const copy = Buffer.from(text)
  copy.write(digits, OPEN.length, 'latin1')
  return copy
}

const writtenDigits = (text: Buffer): string => text.toString('latin1', OPEN.length, BODY)

const crcDigits = ({ crc32c }: Seal): string =>
  crc32c.toString(16).padStart(DIGITS - SHA_DIGITS, '0')

const digitsOf = (seal: Seal): string => `${seal.sha256}${crcDigits(seal)}`
