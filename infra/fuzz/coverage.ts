/**
 * What the instrumented modules tell while they run. Counts are looked at by powers of two, as AFL
 * does: a loop that runs 3 times instead of 2 is news, 103 instead of 102 is not.
 */
export class Coverage {
  /** Sorted, so that a seed does not depend on the order of loading. */
  words: string[] = []
  #counts = new Uint32Array(1 << 16)
  #touched: number[] = []
  /** One bit for each power of two that was seen. */
  readonly #seen = new Uint32Array(1 << 16)
  edges = 0

  /** Makes `__edge` known to modules that are loaded from now on. */
  install(): void {
    const edge = (number: number): void => {
      const count = this.#counts[number]!
      if (count === 0) this.#touched.push(number)
      this.#counts[number] = count + 1
    }
    const learn = (words: readonly string[]): void => {
      this.words = [...new Set([...this.words, ...words])].sort()
    }
    Object.assign(globalThis, { __edge: Object.assign(edge, { learn }) })
  }

  begin(): void {
    for (const number of this.#touched) this.#counts[number] = 0
    this.#touched = []
  }

  /** Whether this run went where none has been. */
  end(): boolean {
    let isNew = false
    for (const number of this.#touched) {
      const bit = 1 << Math.min(15, 31 - Math.clz32(this.#counts[number]!))
      const seen = this.#seen[number]!
      if ((seen & bit) !== 0) continue
      if (seen === 0) this.edges++
      this.#seen[number] = seen | bit
      isNew = true
    }
    return isNew
  }
}
