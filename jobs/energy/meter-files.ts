import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
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

/** A source as messages name it: user, password and query of an address may be secrets. */
export const sourceName = (from: string): string => {
  if (!REMOTE.test(from) || !URL.canParse(from)) return from
  const { protocol, host, pathname } = new URL(from)
  return `${protocol}//${host}${pathname}`
}

/** A scrape that takes longer would not tell when it was taken. */
const SCRAPE_MS_MAX = 10_000

/** Bytes of a file, unpacked: a month of a host of eight GPUs, read every ten seconds. */
export const METER_BYTES_MAX = 256 * 2 ** 20

/** @throws Failure E_USAGE where nothing can be read, E_FACTOR_TABLE where it is no meter's. */
export const readMeterFile = async (source: MeterSource): Promise<ReadMeterFile> => {
  const { from, host, nowMs } = source
  const remote = REMOTE.test(from)
  const name = sourceName(from)
  const bytes = remote ? await fetched(from, name) : await read(from)
  const timeMs = source.timeMs ?? (remote ? nowMs : null)
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? unpacked(name, bytes) : bytes
  const sha256 = createHash('sha256')
    .update(JSON.stringify([host, timeMs]))
    .update(plain)
    .digest('hex')
  return { sha256, ...parseMeterText(textOf(name, plain), { host, timeMs, nowMs }) }
}

const tooLarge = (from: string): Failure =>
  new Failure('E_FACTOR_TABLE', `${from} holds more than ${METER_BYTES_MAX} bytes`, {
    hint: 'Split it: readings are kept once, so parts may overlap and come in any order.'
  })

const unpacked = (from: string, bytes: Buffer): Buffer => {
  try {
    return gunzipSync(bytes, { maxOutputLength: METER_BYTES_MAX })
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(from)
    throw new Failure('E_FACTOR_TABLE', `${from} can not be unpacked: ${String(cause)}`, {
      cause,
      hint: 'The gzip file was cut or damaged: copy it again.'
    })
  }
}

const textOf = (from: string, bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Failure('E_FACTOR_TABLE', `${from} is no text in UTF-8`, {
      cause,
      hint: 'Save it as UTF-8: some shells and spreadsheets write UTF-16.'
    })
  }
}

const read = async (from: string): Promise<Buffer> => {
  try {
    const { size } = await stat(from)
    if (size > METER_BYTES_MAX) throw tooLarge(from)
    return await readFile(from)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('E_USAGE', `${from} can not be read: ${String(cause)}`, { cause })
  }
}

const fetched = async (from: string, name: string): Promise<Buffer> => {
  try {
    const answer = await fetch(from, { signal: AbortSignal.timeout(SCRAPE_MS_MAX) })
    if (answer.ok) return await bodyOf(name, answer)
    throw new Failure('E_USAGE', `${name} answers ${answer.status}`)
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    const reason = String(cause).replaceAll(from, name)
    throw new Failure('E_USAGE', `${name} can not be read: ${reason}`)
  }
}

/** Counted as it comes: an answer says nothing reliable of its length, and may unpack to any. */
const bodyOf = async (from: string, { body }: Response): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > METER_BYTES_MAX) throw tooLarge(from)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
