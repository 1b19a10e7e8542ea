import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Failure } from '../../../schemas/failure.ts'

export type OpenInput = {
  chunks: AsyncIterable<Uint8Array>
  /** Bytes of the file as stored, for the share that is done; null for a pipe. */
  storedBytes: number | null
  /** Stored bytes read so far. */
  readBytes: () => number
}

const GZIP_MAGIC = [0x1f, 0x8b]

/**
 * Opens a file, compressed by gzip or not: told by its first bytes, not by its name.
 * @throws Failure E_USAGE when there is no such file.
 */
export const openInput = async (file: string): Promise<OpenInput> => {
  const storedBytes = await sizeOf(file)
  return openStream(createReadStream(file), storedBytes)
}

/** The same over a stream, such as stdin. */
export const openStream = (stream: Readable, storedBytes: number | null): OpenInput => {
  let readBytes = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      readBytes += (chunk as Uint8Array).length
      yield chunk as Uint8Array
    }
  }
  return { chunks: plain(counted()), storedBytes, readBytes: () => readBytes }
}

const sizeOf = async (file: string): Promise<number> => {
  const stats = await stat(file).catch((error: unknown) => {
    throw new Failure('E_USAGE', `can not read ${file}`, { cause: error })
  })
  if (!stats.isFile()) throw new Failure('E_USAGE', `${file} is not a file`)
  return stats.size
}

async function* plain(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const first = await chunks.next()
  if (first.done === true) return
  const isGzip = GZIP_MAGIC.every((byte, index) => first.value[index] === byte)
  const all = (async function* () {
    yield first.value
    yield* chunks
  })()
  if (isGzip) yield* gunzip(all)
  else yield* all
}

async function* gunzip(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip()
  const feed = async (): Promise<void> => {
    for await (const chunk of chunks) {
      if (!unzip.write(chunk)) await new Promise((resolve) => unzip.once('drain', resolve))
    }
    unzip.end()
  }
  feed().catch((error: unknown) => unzip.destroy(error as Error))
  try {
    yield* unzip
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure('E_BODY_UNREADABLE', `the file is damaged: ${reason}`, { cause: error })
  }
}
