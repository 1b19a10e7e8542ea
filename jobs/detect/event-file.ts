import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'

/** Reads native events from NDJSON, plain or gzip, and checks each line against the schema. */

/** A line that is no event: where it is and what is wrong. */
export type BadLine = { line: number; reason: string }

/** Lines handed on at once: a few megabytes. */
const BATCH_LINES = 10_000
/** Start of a gzip member. */
const GZIP_SUFFIX = /\.gz$/

/** Yields the valid lines in batches; what is wrong with the others goes to `onBad`. */
export async function* readEventLines(
  path: string,
  onBad: (bad: BadLine) => void
): AsyncGenerator<string[]> {
  let batch: string[] = []
  let line = 0
  for await (const text of openLines(path)) {
    line += 1
    if (text.trim() === '') continue
    const reason = faultOf(text)
    if (reason !== null) {
      onBad({ line, reason })
      continue
    }
    batch.push(text)
    if (batch.length < BATCH_LINES) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

const openLines = async function* (path: string): AsyncGenerator<string> {
  const file = createReadStream(path)
  const input = GZIP_SUFFIX.test(path) ? file.pipe(createGunzip()) : file
  // An error of the file would otherwise leave the decompressor waiting.
  file.on('error', (error) => input.destroy(error))
  try {
    yield* createInterface({ input, crlfDelay: Infinity })
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

const unreadable = (path: string, cause: unknown): Failure =>
  new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })

const faultOf = (text: string): string | null => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const result = UsageEvent.safeParse(value)
  if (result.success) return null
  const [issue] = result.error.issues
  return `${issue?.path.join('.') || 'event'}: ${issue?.message ?? 'invalid'}`
}
