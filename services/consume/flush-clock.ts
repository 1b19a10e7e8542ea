import { EventEmitter, once } from 'node:events'

export type FlushLimits = {
  flushMsMax: number
  flushRowsMax: number
  /** Bytes of records that force a flush; default `FLUSH_BYTES_MAX`. */
  flushBytesMax?: number
  cutOffsets: number
}

/**
 * Rows alone do not bound memory: a record may have 250 bytes or a million. A full flush of ordinary
 * events, 262,144 of 300 bytes, is 75 MiB and must not be cut; with as many bytes in large ones, the
 * process stays below the 2 GiB that it is given. 96 MiB.
 */
const FLUSH_BYTES_MAX = 96 << 20

/** By which flushes lag behind full steps of the clock: for records of the last moment to come in. */
const LAG_MS = 100
/** How much longer a flush waits for events from behind the step, where they are late. One second. */
const PATIENCE_MS_MAX = 1_000
/** The same as a share of the time between flushes. */
const PATIENCE_SHARE = 1 / 5

/**
 * From when on what waits since a time may be flushed, both milliseconds since the epoch: just behind a
 * multiple of `flushMsMax`, and so before it has waited for longer; patience comes on top. Minutes close at multiples too, and what closes
 * them is landed at once, where flushes out of step would leave alerts waiting for one up to its whole time.
 */
export const flushAtMs = (oldestMs: number, flushMsMax: number): number =>
  (Math.floor((oldestMs - LAG_MS) / flushMsMax) + 1) * flushMsMax + LAG_MS

/** Records that were handed to the landing, as its partition stands then. */
export type Handed = {
  partition: number
  /** Rows that wait in all, of every partition. */
  rows: number
  bytes: number
  /** Time of the partition's newest event that waits, milliseconds; null = none does. */
  watermarkMs: number | null
}

/**
 * Says when to flush: at the next step of time after the oldest record, or a little later where events of
 * before the step are still coming in, when enough rows wait, or when every reader stands at a cut. Emits `begun` when what is read from now on belongs to the
 * next flush, and `flushed` when the last one is committed.
 */
export class FlushClock extends EventEmitter {
  readonly limits: FlushLimits
  readonly #nowMs: () => number
  #oldestMs: number | null = null
  #full = false
  /** Bytes of records since the last flush began. */
  #bytes = 0
  #waiting = new Set<number>()
  /** By partition, the time of its newest event; those that have landed lie before the next step. */
  readonly #watermarksMs = new Map<number, number>()
  /** Readers that found nothing to read. */
  #idle = new Set<number>()
  #readers = new Set<number>()

  constructor(limits: FlushLimits, nowMs: () => number) {
    super()
    this.setMaxListeners(0)
    this.limits = limits
    this.#nowMs = nowMs
  }

  /** A reader begins or ends. */
  enter(partition: number): void {
    this.#readers.add(partition)
  }

  leave(partition: number): void {
    this.#readers.delete(partition)
    this.#waiting.delete(partition)
    this.#idle.delete(partition)
    this.#check()
  }

  /** A reader looked for records: those at the log's end are not waited for at a cut. */
  looked(partition: number, found: boolean): void {
    if (found) this.#idle.delete(partition)
    else if (!this.#idle.has(partition)) {
      this.#idle.add(partition)
      this.#check()
    }
  }

  /** A reader handed over what it read. */
  added({ partition, rows, bytes, watermarkMs }: Handed): void {
    if (rows > 0) this.#oldestMs ??= this.#nowMs()
    if (watermarkMs !== null) this.#watermarksMs.set(partition, watermarkMs)
    const { flushRowsMax, flushBytesMax = FLUSH_BYTES_MAX } = this.limits
    this.#bytes += bytes
    if (rows >= flushRowsMax || this.#bytes >= flushBytesMax) this.#full = true
    this.#check()
  }

  /**
   * Where a reader at `offset` makes its next cut: multiples so large that all readers together fill
   * a flush. One of few partitions would else pay for a flush as often as one of many.
   */
  cutAfter(offset: number): number {
    const { cutOffsets, flushRowsMax } = this.limits
    const cuts = Math.floor(flushRowsMax / (cutOffsets * Math.max(1, this.#readers.size)))
    const step = cutOffsets * Math.max(1, cuts)
    return (Math.floor(offset / step) + 1) * step
  }

  /** A reader stands at a cut until the next flush begins. */
  async atCut(partition: number, signal: AbortSignal): Promise<void> {
    this.#waiting.add(partition)
    this.#check()
    await once(this, 'begun', { signal })
  }

  /** A flush is wanted now. */
  hurry(): void {
    this.#full = true
    this.#check()
  }

  /** Resolves when a flush that begins from now on is committed. @throws when `signal` aborts. */
  async nextFlush(signal: AbortSignal): Promise<void> {
    this.hurry()
    await once(this, 'begun', { signal })
    await once(this, 'flushed', { signal })
  }

  /** Resolves when a flush is due, or when `signal` aborts. */
  async due(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isDue()) await this.#nextLook(signal)
  }

  begin(): void {
    this.#oldestMs = null
    this.#full = false
    this.#bytes = 0
    this.#waiting.clear()
    this.emit('begun')
  }

  end(): void {
    this.emit('flushed')
  }

  /** Resolves when something changed, when what waits is due by the clock, or on abort. */
  #nextLook(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waitMs = this.#oldestMs === null ? this.limits.flushMsMax : this.#remainingMs()
      const end = (): void => {
        // An idle consumer looks for days: nothing may stay behind from a look.
        clearTimeout(timer)
        this.off('changed', end)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, Math.max(1, waitMs)).unref()
      this.once('changed', end)
      signal.addEventListener('abort', end)
    })
  }

  /** Milliseconds until what waits is flushed, if no more comes; 0 or less = now. */
  #remainingMs(): number {
    const { flushMsMax } = this.limits
    const atMs = flushAtMs(this.#oldestMs ?? 0, flushMsMax)
    const nowMs = this.#nowMs()
    if (nowMs < atMs) return atMs - nowMs
    if (this.#arePast(atMs - LAG_MS)) return 0
    return atMs + Math.min(PATIENCE_MS_MAX, flushMsMax * PATIENCE_SHARE) - nowMs
  }

  /**
   * Whether every partition holds an event of `stepMs` or later, or no more at all. A minute is closed
   * by such events: landed a moment too early, they would wait for the next flush.
   */
  #arePast(stepMs: number): boolean {
    return [...this.#readers].every(
      (partition) =>
        this.#idle.has(partition) ||
        this.#waiting.has(partition) ||
        (this.#watermarksMs.get(partition) ?? -Infinity) >= stepMs
    )
  }

  #isDue(): boolean {
    if (this.#full) return true
    const standing = this.#waiting.size + this.#idle.size
    if (this.#waiting.size > 0 && standing >= this.#readers.size) return true
    return this.#oldestMs !== null && this.#remainingMs() <= 0
  }

  #check(): void {
    // Only the first rows after a flush and due conditions concern the waiting loop.
    this.emit('changed')
  }
}
