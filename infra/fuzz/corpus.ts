import { readFile } from 'node:fs/promises'
import { z } from 'zod'

/** Inputs that found something once, a file of NDJSON a target: they are run for ever. */
const Line = z.strictObject({
  /** What was wrong. */
  found: z.string().min(10),
  base64: z.string()
})

const folder = new URL('./corpus/', import.meta.url)

export type Known = { found: string; input: Buffer }

export const corpusFile = (name: string): string => `${name.replaceAll('/', '-')}.ndjson`

export const readCorpus = async (name: string): Promise<Known[]> => {
  const text = await readFile(new URL(corpusFile(name), folder), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Line.parse(JSON.parse(line)))
    .map(({ found, base64 }) => ({ found, input: Buffer.from(base64, 'base64') }))
}
