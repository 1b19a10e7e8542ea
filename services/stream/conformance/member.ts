import type { MembershipCallbacks } from '../log.ts'

/** Follows the assignments of one member. */
export class Member implements MembershipCallbacks {
  readonly seen: number[][] = []
  readonly failures: Error[] = []
  /** Wakes whoever waits for a change. */
  #wake: () => void = () => undefined

  /** The newest assignment. */
  get held(): number[] {
    return this.seen.at(-1) ?? []
  }

  assigned = (partitions: number[]): void => {
    this.seen.push(partitions)
    this.#wake()
  }

  failed = (error: Error): void => {
    this.failures.push(error)
    this.#wake()
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}
