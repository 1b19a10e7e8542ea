import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import { normalize } from '../../services/collect/normalize/normalize.ts'

/** A line that is no event: where it is and what is wrong. */
export type BadLine = { line: number; reason: string }

/** Native events of an NDJSON file, plain or .gz, with usage blocks read into buckets. */
export async function* readRecordedEvents(
  path: string,
  onBad: (bad: BadLine) => void
): AsyncGenerator<UsageEvent> {
  const file = createReadStream(path)
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  // An error of the file would otherwise leave the decompressor waiting.
  file.on('error', (error) => input.destroy(error))
  let line = 0
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      line += 1
      if (text.trim() === '') continue
      const event = eventOf(text)
      if (typeof event === 'string') onBad({ line, reason: event })
      else yield withBuckets(event)
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}

const eventOf = (text: string): UsageEvent | string => {
  try {
    const parsed = UsageEvent.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    return `${issue?.path.join('.') || 'event'}: ${issue?.message ?? 'invalid'}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** What the sender states is never overwritten. */
const withBuckets = (event: UsageEvent): UsageEvent => {
  if (event.tokens != null || event.usage == null || event.kind === 'agent') return event
  const read = normalize({
    provider: event.provider ?? null,
    api: event.api ?? null,
    model: event.response_model ?? event.request_model ?? null,
    emitter: event.emitter ?? null,
    status: event.status ?? null,
    body: event.usage
  })
  return { ...event, ...missingFacts(event, read), tokens: read.tokens }
}

const FACTS = ['provider', 'response_model', 'service_tier', 'region', 'batch'] as const
type Fact = (typeof FACTS)[number]

/** Facts that decide the price, told by the block and not by the event. */
const missingFacts = (event: UsageEvent, read: Pick<UsageEvent, Fact>): Partial<UsageEvent> =>
  Object.fromEntries(FACTS.filter((name) => event[name] == null).map((name) => [name, read[name]]))
