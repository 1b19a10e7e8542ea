import { loadTokenizer } from '../collect/count/tokenizer.ts'
import { apiOf, callEvent, type Call, type Labels } from './call-event.ts'
import { createQueue, type Delivery, type QueueCounts } from './queue.ts'
import { addFacts, isJson, noFacts } from './response-facts.ts'
import { bodyReader, watched } from './watch-body.ts'

export type ClientOptions = Labels & {
  /** Address of the collector. */
  url: string
  /** API key for it. */
  key?: string
  /** Events held while the collector is away; beyond, new ones are dropped and counted. */
  queueMax?: number
  flushMs?: number
  /** How calls are made; the application's own fetch. */
  fetch?: typeof fetch
  /** Milliseconds since the epoch. */
  now?: () => number
}

export type ClientCounts = QueueCounts & {
  /** Calls that could not be read; they went through all the same. */
  unread: number
}

export type Client = {
  /** `fetch`, with every model call reported. Give it to an SDK as its `fetch`. */
  fetch: typeof fetch
  /** Reports a call that was made otherwise, from its parsed request and response. */
  record: (call: {
    url: string
    request: unknown
    response: unknown
    startedMs: number
    status?: number
  }) => void
  counts: () => ClientCounts
  flush: () => Promise<void>
}

/** Some ten MiB of events: minutes of a busy application while its collector restarts. */
const QUEUE_MAX = 10_000
const FLUSH_MS = 1000

/**
 * A meter inside an application. Nothing that goes wrong here reaches the application: calls are
 * passed on as they are, and what is not reported is counted.
 */
export const createClient = (options: ClientOptions): Client => {
  const { url, key, queueMax = QUEUE_MAX, flushMs = FLUSH_MS, now = Date.now, ...rest } = options
  const { fetch: send = globalThis.fetch, ...labels } = rest
  const queue = createQueue({ send: sender(url, key, send), queueMax, flushMs })
  let unread = 0
  const guarded = (work: () => void): void => {
    try {
      work()
    } catch {
      unread++
    }
  }
  void loadTokenizer().catch(() => unread++)
  process.once('beforeExit', () => void queue.flush())
  return {
    fetch: watchedFetch({
      send,
      now,
      guarded,
      report: (...seen) => queue.add(callEvent(labels, ...seen))
    }),
    record: ({ url: called, request, response, startedMs, status = 200 }) =>
      guarded(() => {
        const facts = noFacts()
        addFacts(facts, response)
        const call = {
          url: called,
          request,
          requestHeaders: null,
          startedMs,
          endedMs: now(),
          status
        }
        const seen = { ...facts, firstMs: null, text: null, whole: true }
        queue.add(callEvent(labels, { ...call, responseHeaders: null }, seen))
      }),
    counts: () => ({ sent: queue.sent, dropped: { ...queue.dropped }, unread }),
    flush: queue.flush
  }
}

type Watch = {
  send: typeof fetch
  now: () => number
  guarded: (work: () => void) => void
  report: (call: Call, seen: Parameters<typeof callEvent>[2]) => void
}

const watchedFetch =
  ({ send, now, guarded, report }: Watch): typeof fetch =>
  async (input, init) => {
    const startedMs = now()
    const called = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
    if (apiOf(called) === null) return send(input, init)
    const part = { url: called, request: bodyOf(init), requestHeaders: headersOf(init), startedMs }
    const reportEnd = (response: Response | null, seen: Parameters<typeof callEvent>[2]): void =>
      guarded(() => {
        const outcome = {
          status: response?.status ?? null,
          responseHeaders: response?.headers ?? null
        }
        report({ ...part, ...outcome, endedMs: now() }, seen)
      })
    let response: Response
    try {
      response = await send(input, init)
    } catch (error) {
      const error_type = error instanceof Error ? error.name : 'error'
      reportEnd(null, { ...noFacts(), error_type, firstMs: null, text: null, whole: false })
      throw error
    }
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
    const reader = bodyReader(isStream, now)
    return watched(response, {
      chunk: (bytes) => guarded(() => reader.add(bytes)),
      end: (whole) => guarded(() => reportEnd(response, reader.end(whole)))
    })
  }

const bodyOf = (init: RequestInit | undefined): unknown => {
  if (typeof init?.body !== 'string') return null
  try {
    const body: unknown = JSON.parse(init.body)
    return isJson(body) ? body : null
  } catch {
    return null
  }
}

const headersOf = (init: RequestInit | undefined): Headers | null =>
  init?.headers === undefined ? null : new Headers(init.headers)

const RETRIABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])
/** A collector that does not answer must not hold events for ever. */
const ANSWER_WITHIN_MS = 10_000

const sender =
  (url: string, key: string | undefined, send: typeof fetch) =>
  async (events: readonly object[]): Promise<Delivery> => {
    const response = await send(`${url.replace(/\/$/, '')}/v1/events?partial=true`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      },
      body: JSON.stringify(events),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS)
    })
    const answer: unknown = await response.json().catch(() => null)
    if (RETRIABLE.has(response.status)) return 'later'
    if (NONE_TAKEN.has(response.status)) return { rejected: events.length }
    return response.ok ? { rejected: rejectedOf(answer) } : 'refused'
  }

/** Of a partial request none was taken: each event is at fault. */
const NONE_TAKEN: ReadonlySet<number> = new Set([400, 422])

const rejectedOf = (answer: unknown): number => {
  const rejected = isJson(answer) ? answer['refused'] : 0
  return typeof rejected === 'number' ? rejected : 0
}
