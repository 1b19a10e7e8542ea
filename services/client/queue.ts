/** Sends events in batches; holds a bounded number, and counts what it has to drop. */
export type Sender = (events: readonly object[]) => Promise<Delivery>

/**
 * What became of a batch: taken but for `rejected` of its events, refused as a whole, or to be
 * sent again later.
 */
export type Delivery = { rejected: number } | 'refused' | 'later'

export type QueueOptions = {
  send: Sender
  /** Events held at most; beyond, new ones are dropped. */
  queueMax: number
  /** How long an event may wait for others. */
  flushMs: number
}

export type QueueCounts = {
  /** Events that the collector has accepted. */
  sent: number
  /**
   * Dropped because the queue was full, the collector rejected them one by one, refused the request
   * that held them (a key, say), or could not be reached.
   */
  dropped: { full: number; rejected: number; refused: number; unreachable: number }
}

export type Queue = QueueCounts & {
  add: (event: object) => void
  /** Resolves when everything that was added is sent or dropped. */
  flush: () => Promise<void>
}

/** One request stays small enough for any collector. */
const BATCH_MAX = 100
/** A collector that is busy or restarting is back after these waits, or its events are dropped. */
const RETRY_MS = [100, 500, 2000]

export const createQueue = ({ send, queueMax, flushMs }: QueueOptions): Queue => {
  const waiting: object[] = []
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await deliver(waiting.splice(0, BATCH_MAX))
  }
  const deliver = async (batch: object[]): Promise<void> => {
    for (const waitMs of [0, ...RETRY_MS]) {
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const outcome = await send(batch).catch(() => 'later' as const)
      if (outcome === 'later') continue
      if (outcome === 'refused') return void (queue.dropped.refused += batch.length)
      queue.sent += batch.length - outcome.rejected
      queue.dropped.rejected += outcome.rejected
      return
    }
    queue.dropped.unreachable += batch.length
  }
  const flush = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    running ??= drain().finally(() => (running = null))
    await running
    // What came while the last batch was under way.
    if (waiting.length > 0) await flush()
  }
  const queue: Queue = {
    sent: 0,
    dropped: { full: 0, rejected: 0, refused: 0, unreachable: 0 },
    add: (event) => {
      if (waiting.length >= queueMax) return void queue.dropped.full++
      waiting.push(event)
      if (waiting.length >= BATCH_MAX) void flush()
      else timer ??= setTimeout(() => void flush(), flushMs).unref()
    },
    flush
  }
  return queue
}
