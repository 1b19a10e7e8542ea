import { setTimeout as sleep } from 'node:timers/promises'
import type { Batch } from './batch.ts'
import type { Entry, Ledger } from './ledger.ts'
import { Sender, type Reply } from './sender.ts'

const MS_PER_S = 1000
/** What the collector says to those who should come back. */
const RETRY_STATUSES = new Set([429, 503])

/** Before a connection that ended is made again. */
const RECONNECT_S = 1

/** Events and answers of a load so far. */
export type Tally = {
  accepted: number
  /** Answers that told the sender to come back, by status. */
  refused: Record<number, number>
  /** Times that a connection ended without an answer. */
  broken: number
  /** Milliseconds from when a batch was due to its acknowledgement. */
  latenciesMs: number[]
}

/** Senders that share a ledger and the collector at an address. */
export class Load {
  readonly tally: Tally = { accepted: 0, refused: {}, broken: 0, latenciesMs: [] }
  readonly #senders: readonly Sender[]
  readonly #ledger: Ledger
  #isAbandoned = false
  /** What each sender has sent and not seen acknowledged. */
  readonly #open = new Map<Sender, Entry>()

  constructor(url: URL, batches: readonly Batch[], ledger: Ledger) {
    this.#senders = batches.map((batch) => new Sender(url, batch))
    this.#ledger = ledger
  }

  /** Offers `rate` events a second, whether or not the collector keeps up, and waits for the last. */
  async offer(rate: number, seconds: number): Promise<void> {
    const size = this.#senders[0]?.batch.size ?? 1
    const total = Math.floor((rate * seconds) / size)
    const startMs = performance.now()
    let next = 0
    await this.#each(async (sender) => {
      for (let index = next++; index < total; index = next++) {
        const dueMs = startMs + ((index * size) / rate) * MS_PER_S
        const leftMs = dueMs - performance.now()
        if (leftMs > 0) await sleep(leftMs)
        await this.#deliver(sender, dueMs)
      }
    })
  }

  /** Sends as fast as answers come, on all connections, until the time is up; waits for the last. */
  async flood(seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * MS_PER_S
    await this.#each(async (sender) => {
      while (performance.now() < endMs) await this.#deliver(sender, performance.now())
    })
  }

  /** The same until `abandon` is called and the connection ends. */
  async floodUntilGone(): Promise<void> {
    await this.#each(async (sender) => {
      while (!this.#open.has(sender)) await this.#deliver(sender, performance.now())
    })
  }

  /** From now on a connection that ends is not made again. */
  abandon(): void {
    this.#isAbandoned = true
  }

  /** Sends again, elsewhere, what was not acknowledged: as every exporter does. */
  async resend(url: URL): Promise<void> {
    this.#isAbandoned = false
    await Promise.all(
      [...this.#open].map(async ([{ batch }, entry]) => {
        const sender = new Sender(url, batch)
        await this.#repeat(sender, entry)
        sender.close()
      })
    )
    this.#open.clear()
  }

  close(): void {
    for (const sender of this.#senders) sender.close()
  }

  async #each(run: (sender: Sender) => Promise<void>): Promise<void> {
    await Promise.all(this.#senders.map(run))
  }

  async #deliver(sender: Sender, dueMs: number): Promise<void> {
    const entry = this.#ledger.open(sender.batch)
    this.#open.set(sender, entry)
    await this.#repeat(sender, entry)
    if (!entry.isAcknowledged) return
    this.#open.delete(sender)
    this.tally.latenciesMs.push(performance.now() - dueMs)
  }

  /** Sends a batch until it is acknowledged, pausing for as long as the collector asks. */
  async #repeat(sender: Sender, entry: Entry): Promise<void> {
    while (!entry.isAcknowledged) {
      const reply = await sender.send().catch(() => null)
      if (reply?.status === 200) {
        entry.isAcknowledged = true
        this.tally.accepted += entry.size
        return
      }
      if (reply === null) {
        entry.unanswered++
        if (this.#isAbandoned) return
        this.tally.broken++
      }
      await sleep(this.#pauseS(reply) * MS_PER_S)
    }
  }

  #pauseS(reply: Reply | null): number {
    if (reply === null) return RECONNECT_S
    const { status, retryAfterS } = reply
    if (!RETRY_STATUSES.has(status) || retryAfterS === null) {
      throw new Error(`status ${status}, Retry-After ${retryAfterS}`)
    }
    this.tally.refused[status] = (this.tally.refused[status] ?? 0) + 1
    return retryAfterS
  }
}
