import type { EventLog, RecordRun } from '../stream/log.ts'
import type { FlushClock } from './flush-clock.ts'
import type { LandingThread } from './landing-thread.ts'
import { LogCursor, type Place } from './log-cursor.ts'
import { cutRun, valueBytesOf } from './run.ts'

/** Bytes of one read: large enough to amortise a request, small enough to bound memory. */
const READ_BYTES_MAX = 4 << 20
/** How long a read waits for records at the end of the log. */
const READ_WAIT_MS = 250

type Doors = { log: EventLog; landing: LandingThread }

/** Reads one partition from an offset on and hands its records to the landing, cut where agreed. */
export class PartitionReader {
  readonly #start: Place
  readonly #cursor: LogCursor
  readonly #doors: Doors
  readonly #clock: FlushClock
  readonly #stopping = new AbortController()
  /** Everything below was handed to the landing. */
  handed: number
  /** Everything below is in the lake. */
  landed: number

  constructor(start: Place, doors: Doors, clock: FlushClock) {
    this.#start = start
    this.#cursor = new LogCursor(doors.log, start)
    this.#doors = doors
    this.#clock = clock
    this.landed = start.next
    this.handed = start.next
  }

  land(next: number): void {
    this.landed = next
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Reads until stopped. The next read is under way while the last one is decoded. */
  async run(): Promise<void> {
    const { partition } = this.#start
    this.#clock.enter(partition)
    try {
      let { next } = this.#start
      let reading = this.#read()
      while (!this.#stopping.signal.aborted) {
        const run = await reading
        this.#clock.looked(partition, run.next > next)
        next = run.next
        reading = this.#read()
        // A rejection is seen when it is awaited; until then it is not unhandled.
        reading.catch(() => {})
        await this.#hand(run)
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error
    } finally {
      this.#clock.leave(partition)
    }
  }

  #read(): Promise<RecordRun> {
    const signal = this.#stopping.signal
    return this.#cursor.read({ bytesMax: READ_BYTES_MAX, waitMsMax: READ_WAIT_MS, signal })
  }

  /** Hands over a run, in pieces that end at multiples of the cut; its memory is then free. */
  async #hand(run: RecordRun): Promise<void> {
    const { log, landing } = this.#doors
    const { partition, source } = this.#start
    const isShared = run.bytes.buffer instanceof SharedArrayBuffer
    while (this.handed < run.next && !this.#stopping.signal.aborted) {
      const cut = this.#clock.cutAfter(this.handed)
      const piece = cutRun(run, this.handed, cut)
      // Memory that is not shared moves over: only the last piece may take it along.
      if (piece.next < run.next && !isShared) piece.bytes = new Uint8Array(piece.bytes)
      // Taken before: the piece's memory moves to the other thread.
      const { next } = piece
      const bytes = valueBytesOf(piece)
      this.#clock.added({ partition, bytes, ...(await landing.add(piece, source)) })
      this.handed = next
      if (next === cut) await this.#clock.atCut(partition, this.#stopping.signal)
    }
    log.reuse?.(run)
  }
}
