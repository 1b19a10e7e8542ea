import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { Failure } from '../../../schemas/failure.ts'
import type { ChargeOptions } from '../charge-site.ts'

export type PricesOptions = Omit<ChargeOptions, 'data'> & {
  at?: string
  provider?: string
  tier?: string
  book?: string
  out?: string
  litellm?: string
  litellmVersion?: string
  genai?: string
  genaiVersion?: string
  genaiDate?: string
  history?: string
  witness?: string
  data?: string
  month?: string
  apply?: true
  json?: true
}

/** A text file, compressed or not. @throws Failure E_USAGE */
export const readTable = async (path: string): Promise<string> => {
  try {
    const bytes = await readFile(path)
    return path.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8')
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}
