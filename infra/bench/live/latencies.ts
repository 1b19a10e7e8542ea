/** Milliseconds, each with how many events they count for. */
export class Latencies {
  readonly #seen: { ms: number; count: number }[] = []
  count = 0

  add(ms: number, count = 1): void {
    this.#seen.push({ ms, count })
    this.count += count
  }

  /** The smallest that `share` of all do not exceed; null when there are none. */
  percentile(share: number): number | null {
    const sorted = this.#seen.toSorted((a, b) => a.ms - b.ms)
    let left = this.count * share
    for (const { ms, count } of sorted) {
      left -= count
      if (left <= 0) return Math.round(ms)
    }
    return null
  }

  figures(name: string): Record<string, number | null> {
    const at = (share: number): number | null => this.percentile(share)
    return { [`${name}_n`]: this.count, [`${name}_p50`]: at(0.5), [`${name}_p99`]: at(0.99) }
  }
}
