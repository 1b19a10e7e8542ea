import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { EventRow } from '../../schemas/avro/flatten-event.ts'
import { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import { eventRow } from '../../services/collect/event-record.ts'

/** Reads native events from NDJSON, plain or gzip, into the rows that the collector would make. */

/** A line that is no event: where it is and what is wrong. */
export type BadLine = { line: number; reason: string }

/** Rows handed on at once: a few megabytes. */
const BATCH_ROWS = 10_000
const GZIP_SUFFIX = /\.gz$/

/** Yields the rows of valid lines in batches; what is wrong with the others goes to `onBad`. */
export async function* readEventRows(
  lines: AsyncIterable<string> | Iterable<string>,
  onBad: (bad: BadLine) => void
): AsyncGenerator<EventRow[]> {
  let batch: EventRow[] = []
  let line = 0
  for await (const text of lines) {
    line += 1
    if (text.trim() === '') continue
    const row = readLine(text)
    if (typeof row === 'string') {
      onBad({ line, reason: row })
      continue
    }
    batch.push(row)
    if (batch.length < BATCH_ROWS) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Lines of a file; decompressed when its name ends in .gz. */
export async function* openLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path)
  const input = GZIP_SUFFIX.test(path) ? file.pipe(createGunzip()) : file
  // An error of the file would otherwise leave the decompressor waiting.
  file.on('error', (error) => input.destroy(error))
  try {
    yield* createInterface({ input, crlfDelay: Infinity })
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} can not be read: ${messageOf(cause)}`, { cause })
  }
}

/** The row, or what is wrong with the line. */
const readLine = (text: string): EventRow | string => {
  try {
    const result = UsageEvent.safeParse(JSON.parse(text))
    if (result.success) return eventRow(result.data)
    const [issue] = result.error.issues
    return `${issue?.path.join('.') || 'event'}: ${issue?.message ?? 'invalid'}`
  } catch (error) {
    return messageOf(error)
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
