import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { Failure } from '../../../schemas/failure.ts'
import type { Share } from './admission.ts'

export type BodyLimits = {
  /** Bytes as they come over the wire. */
  wireBytesMax: number
  /** Bytes after decompression. */
  plainBytesMax: number
}

/** Encodings that every exporter of OTLP and every HTTP client can send. */
export const CONTENT_ENCODINGS = ['gzip', 'deflate'] as const

/**
 * Reads a request body and decompresses it on the way. Both sizes are checked while bytes come,
 * so a bomb costs no more than the limit, and each byte is taken from the share before it is kept.
 * @throws Failure E_BODY_TOO_LARGE, E_MEDIA_TYPE, E_BODY_UNREADABLE, E_BACKPRESSURE.
 */
export const readBody = async (
  request: IncomingMessage,
  limits: BodyLimits,
  share: Share
): Promise<Buffer> => {
  try {
    return await readWithin(request, limits, share)
  } catch (error) {
    // What still comes is discarded, so that the connection can carry the answer and be used
    // again; the server's request timeout bounds how long that may take.
    request.resume()
    throw error
  }
}

const readWithin = async (
  request: IncomingMessage,
  limits: BodyLimits,
  share: Share
): Promise<Buffer> => {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > limits.wireBytesMax) throw tooLarge('body', declared, limits.wireBytesMax)
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') {
    return collect(request, Math.min(limits.wireBytesMax, limits.plainBytesMax), share)
  }
  return decompress(request, encoding, limits, share)
}

const decompress = async (
  request: IncomingMessage,
  encoding: string,
  limits: BodyLimits,
  share: Share
): Promise<Buffer> => {
  const unzip = decompressor(encoding)
  let wireBytes = 0
  request.on('data', (chunk: Buffer) => {
    wireBytes += chunk.length
    if (wireBytes > limits.wireBytesMax) {
      unzip.destroy(tooLarge('compressed body', wireBytes, limits.wireBytesMax))
    }
  })
  request.on('aborted', () => unzip.destroy(aborted()))
  request.pipe(unzip)
  try {
    return await collect(unzip, limits.plainBytesMax, share)
  } catch (error) {
    request.unpipe(unzip)
    if (error instanceof Failure) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure('E_BODY_UNREADABLE', `the body is not ${encoding}: ${reason}`)
  } finally {
    unzip.destroy()
  }
}

const decompressor = (encoding: string): ReturnType<typeof createGunzip> => {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip()
  if (encoding === 'deflate') return createInflate()
  throw new Failure('E_MEDIA_TYPE', `content-encoding ${encoding.slice(0, 64)} is not supported`, {
    hint: `Send ${CONTENT_ENCODINGS.join(', ')} or no content-encoding.`
  })
}

const collect = async (stream: Readable, bytesMax: number, share: Share): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    // Breaking out of the loop would destroy the stream, and with it the socket that has to carry
    // the answer: the iterator leaves it open.
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      const buffer = chunk as Buffer
      bytes += buffer.length
      if (bytes > bytesMax) throw tooLarge('body', bytes, bytesMax)
      share.takeBytes(buffer.length)
      chunks.push(buffer)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') throw aborted()
    throw error
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes)
}

const aborted = (): Failure => new Failure('E_BODY_UNREADABLE', 'the sender closed the connection')

const tooLarge = (what: string, bytes: number, bytesMax: number): Failure =>
  new Failure('E_BODY_TOO_LARGE', `the ${what} has ${bytes} bytes or more`, {
    hint: `At most ${bytesMax} bytes are taken; send smaller batches.`
  })
