import { Failure } from '../../../schemas/failure.ts'
import { NULL_VALUE } from '../../stream/log.ts'
import type { Run } from '../run.ts'
import type { AvroNode } from './avro-type.ts'
import { CHUNK_RECORDS, type Chunk } from './chunk.ts'
import type { MessageFormat } from './messages.ts'

/** Deals the records of a run into chunks, each of neighbours that share a schema. */
export class Feed {
  readonly #run: Run
  readonly #format: MessageFormat
  readonly #refused: Map<number, Failure>
  /** Which records of the run the chunk holds. */
  readonly #indexes = new Int32Array(CHUNK_RECORDS)
  #count = 0
  #next = 0

  /** `refused` takes in why records were left out, by their index in the run. */
  constructor(run: Run, format: MessageFormat, refused: Map<number, Failure>) {
    this.#run = run
    this.#format = format
    this.#refused = refused
  }

  /** Goes on to the next chunk. @returns its schema; null at the end. */
  next(): AvroNode | null {
    let node: AvroNode | null = null
    this.#count = 0
    for (; this.#next < this.#run.count && this.#count < CHUNK_RECORDS; this.#next++) {
      const found = this.#schemaOf(this.#next)
      if (found === null) continue
      node ??= found
      if (found !== node) break
      this.#indexes[this.#count++] = this.#next
    }
    return node
  }

  /** Records of the chunk. */
  get count(): number {
    return this.#count
  }

  offset(record: number): number {
    return this.#run.offsets[this.#indexes[record]!]!
  }

  appendedMs(record: number): number {
    return this.#run.timesMs[this.#indexes[record]!]!
  }

  /** Puts the chunk at the beginning of its records. */
  frame(chunk: Chunk): void {
    const { valueStart, valueEnd } = this.#run
    for (let record = 0; record < this.#count; record++) {
      const index = this.#indexes[record]!
      chunk.at[record] = valueStart[index]! + this.#format.prefixBytes
      chunk.ends[record] = valueEnd[index]!
    }
    chunk.fetch(valueStart[this.#indexes[0]!]!, valueEnd[this.#indexes[this.#count - 1]!]!)
  }

  /** Leaves out what the chunk has refused; the others move up. */
  drop(refused: ReadonlyMap<number, Failure>): void {
    let kept = 0
    for (let record = 0; record < this.#count; record++) {
      const index = this.#indexes[record]!
      const failure = refused.get(record)
      if (failure === undefined) this.#indexes[kept++] = index
      else this.#refused.set(index, failure)
    }
    this.#count = kept
  }

  /** Leaves out the whole chunk. */
  refuse(failure: Failure): void {
    for (let record = 0; record < this.#count; record++) {
      this.#refused.set(this.#indexes[record]!, failure)
    }
    this.#count = 0
  }

  #schemaOf(index: number): AvroNode | null {
    const { bytes, valueStart, valueEnd } = this.#run
    const end = valueEnd[index]!
    try {
      if (end === NULL_VALUE) throw new Failure('E_RECORD_UNREADABLE', 'the value is null')
      return this.#format.schemaOf(bytes, valueStart[index]!, end)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.#refused.set(index, error)
      return null
    }
  }
}
