import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { Failure } from '../../schemas/failure.ts'
import { parseMeterText } from '../../services/rates/energy/metered/meter-text.ts'
import type { MeterFile } from './meter.ts'

export type MeterSource = {
  /** Path, plain or gzip, or an http(s) address that is scraped. */
  from: string
  host: string | null
  /** When a scrape without times was taken; null = now for an address, an error for a file. */
  timeMs: number | null
  nowMs: number
}

export type ReadMeterFile = MeterFile & { ignored: string[] }

const REMOTE = /^https?:\/\//
/** A scrape that takes longer would not tell when it was taken. */
const SCRAPE_MS_MAX = 10_000

/** @throws Failure E_USAGE where nothing can be read, E_FACTOR_TABLE where it is no meter's. */
export const readMeterFile = async (source: MeterSource): Promise<ReadMeterFile> => {
  const { from, host, nowMs } = source
  const remote = REMOTE.test(from)
  const bytes = remote ? await fetched(from) : await read(from)
  const timeMs = source.timeMs ?? (remote ? nowMs : null)
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
  const sha256 = createHash('sha256')
    .update(JSON.stringify([host, timeMs]))
    .update(plain)
    .digest('hex')
  return { sha256, ...parseMeterText(plain.toString('utf8'), { host, timeMs }) }
}

const read = async (from: string): Promise<Buffer> => {
  try {
    return await readFile(from)
  } catch (cause) {
    throw new Failure('E_USAGE', `${from} can not be read: ${String(cause)}`, { cause })
  }
}

const fetched = async (from: string): Promise<Buffer> => {
  try {
    const answer = await fetch(from, { signal: AbortSignal.timeout(SCRAPE_MS_MAX) })
    if (answer.ok) return Buffer.from(await answer.arrayBuffer())
    throw new Failure('E_USAGE', `${from} answers ${answer.status}`)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('E_USAGE', `${from} can not be read: ${String(cause)}`, { cause })
  }
}
