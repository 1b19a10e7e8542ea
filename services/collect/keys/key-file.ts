import { readFile, rename, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { createKey, type NewKey } from './key.ts'
import { parseKeyFile } from './key-ring.ts'

/** Only the owner reads it: hashes are safe to keep, and still nobody's business. */
const FILE_MODE = 0o600

/**
 * Adds a fresh key to a file, which is made where there is none.
 * @returns the token, which is nowhere else and can not be had again.
 * @throws Failure E_USAGE when the file holds something else.
 */
export const addKey = async (file: string, options: NewKey): Promise<string> => {
  const entries = parseKeyFile(await readOrEmpty(file), file)
  const { token, entry } = createKey(options)
  const temporary = `${file}.tmp`
  await writeFile(temporary, stringify({ keys: [...entries, entry] }), { mode: FILE_MODE })
  await rename(temporary, file)
  return token
}

const readOrEmpty = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'keys: []'
    throw error
  }
}
