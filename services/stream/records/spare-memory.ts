/**
 * Large pieces of memory, used again. Each fresh one brings V8's collector closer to a full round
 * (one for every few dozen MiB outside its heap), and those rounds were a third of what the consumer
 * cost. The memory is shared: a thread may look at it without a copy, and V8 does not count it.
 * So whoever takes a piece gives it back; to those who do not, only a few are handed out.
 */
export class SpareMemory {
  readonly #spare: SharedArrayBuffer[] = []
  #lent = 0

  /** A buffer of `length` bytes with any content. */
  take(length: number): Buffer {
    if (length < SHARED_BYTES_MIN || this.#lent >= LENT_MAX) return Buffer.allocUnsafeSlow(length)
    this.#lent++
    const fit = this.#spare.findIndex(({ byteLength }) => byteLength >= length)
    const memory = fit === -1 ? room(length) : this.#spare.splice(fit, 1)[0]!
    return Buffer.from(memory, 0, length)
  }

  /** Takes a buffer back. Nobody may look at it, or at a part of it, any more. */
  give({ buffer }: Uint8Array): void {
    if (!(buffer instanceof SharedArrayBuffer)) return
    this.#lent--
    this.#spare.push(buffer)
    if (this.#spare.length > SPARE_MAX) this.#spare.shift()
  }
}

/** Less costs less than keeping books on it. */
const SHARED_BYTES_MIN = 64 * 1024
/** More than a consumer of a few partitions reads ahead; the rest is V8's to collect. */
const LENT_MAX = 32
/** The oldest go first, so that one odd answer does not hold its memory for good. */
const SPARE_MAX = 8

/** Rounded up, so that what has about one size fits into each other's memory. */
const room = (length: number): SharedArrayBuffer =>
  new SharedArrayBuffer(2 ** Math.ceil(Math.log2(length)))
