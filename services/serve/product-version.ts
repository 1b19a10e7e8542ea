import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const Package = z.object({ version: z.string() })

/** The version of the product that runs, from the nearest package.json above this file. */
export const productVersion = async (): Promise<string> => {
  for (const path of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => null)
    if (text !== null) return Package.parse(JSON.parse(text)).version
  }
  return 'unknown'
}
