import type { MembershipCallbacks } from './log.ts'

/**
 * Hands assignments to the consumer one at a time. Of those that come in while one is being
 * handled only the newest is handed on. An error of the consumer ends the membership.
 */
export class AssignmentRelay {
  readonly #callbacks: MembershipCallbacks
  #next: number[] | null = null
  #run: Promise<void> | null = null
  #isOver = false

  constructor(callbacks: MembershipCallbacks) {
    this.#callbacks = callbacks
  }

  /** Never throws; an assignment that comes after the end is dropped. */
  assign(partitions: readonly number[]): void {
    if (this.#isOver) return
    this.#next = [...partitions].sort((a, b) => a - b)
    this.#run ??= this.#drain()
  }

  /** Reports, once, that the membership is over for good. */
  fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#callbacks.failed(error instanceof Error ? error : new Error(String(error)))
  }

  /** Hands nothing on any more; resolves when the consumer is done with what it has. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#run
  }

  async #drain(): Promise<void> {
    try {
      while (this.#next !== null && !this.#isOver) {
        const partitions = this.#next
        this.#next = null
        await this.#callbacks.assigned(partitions)
      }
    } catch (error) {
      this.fail(error)
    } finally {
      this.#run = null
    }
  }
}
