import { mendedCommit } from './commit-seal.ts'
import { isPointer } from './delta-checkpoint.ts'
import { versionOfCommit } from './delta-log.ts'
import type { Files } from './files.ts'
import { flipped, withFlippedBitRight } from './flipped-bit.ts'
import { fileKey } from './head.ts'
import type { Damage } from './scrub.ts'

/**
 * Sets the one flipped bit of a damaged file right, which its seal tells, and puts the file back.
 * @returns false when more than one bit changed, or the file is missing or cut.
 */
export const mendBit = async (files: Files, damage: Damage): Promise<boolean> => {
  const key = fileKey(damage)
  const bytes = damage.problem === 'content' ? await files.get(key) : null
  const whole = bytes === null ? null : wholeOf(bytes, damage)
  if (whole === null) return false
  await files.put(key, whole)
  return true
}

const wholeOf = (bytes: Uint8Array, damage: Damage): Uint8Array | null => {
  if (versionOfCommit(fileKey(damage)) !== null) return mendedCommit(bytes)
  if (damage.path.endsWith('/_last_checkpoint')) return mendedPointer(bytes)
  for (const seal of damage.seals) {
    const whole = withFlippedBitRight(bytes, seal)
    if (whole !== null) return whole
  }
  return null
}

/** Under a hundred bytes: every bit is tried. */
const mendedPointer = (bytes: Uint8Array): Uint8Array | null => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const candidate = flipped(bytes, bit >> 3, bit & 7)
    if (isPointer(candidate)) return candidate
  }
  return null
}
