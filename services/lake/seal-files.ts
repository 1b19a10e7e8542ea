import path from 'node:path'
import type { Files } from './files.ts'
import type { Seal } from './seal.ts'

/**
 * Seals of the copies that a table's log keeps of itself: Delta checkpoints and saved heads. Each
 * seal is the name of an empty file, so it has no content that could rot, and it is there before
 * what it seals. Two writers that make the same copy in other bytes leave two seals: either holds.
 */

const SEALS_FOLDER = '_seals'
const CRC_DIGITS = 8
const NAME = /^(.+)\.([0-9a-f]{64})\.([0-9a-f]{8})\.(\d+)$/

const folderOf = (file: string): string => `${file.split('/', 1)[0]}/${SEALS_FOLDER}`

export const sealFile = async (files: Files, file: string, seal: Seal): Promise<void> => {
  const crc = seal.crc32c.toString(16).padStart(CRC_DIGITS, '0')
  const name = `${path.posix.basename(file)}.${seal.sha256}.${crc}.${seal.bytes}`
  await files.putIfAbsent(`${folderOf(file)}/${name}`, new Uint8Array())
}

/** Seals of all copies of one table, by the name of the copy. */
export const readSeals = async (files: Files, table: string): Promise<Map<string, Seal[]>> => {
  const seals = new Map<string, Seal[]>()
  for (const entry of await files.list(`${table}/${SEALS_FOLDER}`)) {
    const [, name, sha256, crc, bytes] = NAME.exec(path.posix.basename(entry)) ?? []
    if (name === undefined || sha256 === undefined) continue
    const seal = { sha256, crc32c: Number.parseInt(crc ?? '', 16), bytes: Number(bytes) }
    seals.set(name, [...(seals.get(name) ?? []), seal])
  }
  return seals
}

/** Forgets the seals of copies that are gone. */
export const dropSeals = async (files: Files, gone: readonly string[]): Promise<void> => {
  const names = new Set(gone.map((file) => path.posix.basename(file)))
  for (const folder of new Set(gone.map(folderOf))) {
    for (const entry of await files.list(folder)) {
      const name = NAME.exec(path.posix.basename(entry))?.[1]
      if (name !== undefined && names.has(name)) await files.delete(entry)
    }
  }
}
