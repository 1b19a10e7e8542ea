import { createHash } from 'node:crypto'
import { crc32c } from '@node-rs/crc32'

/**
 * Identity of a file's content: SHA-256 in hexadecimal, which proves it, and CRC-32C, unsigned,
 * which tells where a bit flipped.
 */
export type Seal = { bytes: number; sha256: string; crc32c: number }

export const sealOf = (bytes: Uint8Array): Seal => {
  const sealer = createSealer()
  sealer.add(bytes)
  return sealer.seal()
}

/** Seals content that comes in pieces. */
export const createSealer = (): { add: (piece: Uint8Array) => void; seal: () => Seal } => {
  const hash = createHash('sha256')
  const seen = { bytes: 0, crc32c: 0 }
  return {
    add: (piece) => {
      hash.update(piece)
      seen.bytes += piece.length
      seen.crc32c = crc32c(piece, seen.crc32c)
    },
    seal: () => ({ ...seen, sha256: hash.digest('hex') })
  }
}
