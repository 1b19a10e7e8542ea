import { Failure } from '../../../schemas/failure.ts'
import { faultAt, type Fault } from '../fault.ts'
import { takeIn } from '../intake.ts'
import type { LoadedSource } from '../sources/load.ts'
import type { Batch } from './batch.ts'
import type { IngestCounts } from './counts.ts'

export type FileIntakeOptions = {
  source: LoadedSource
  tenant: string | null
  now: () => Date
  onFault: (fault: Fault, line: number) => void
}

/** Where a message stands in its file. */
export type FilePlace = { line: number }

/** Takes messages of a file in, into the batch that is filling, and counts what became of them. */
export class FileIntake {
  readonly #options: FileIntakeOptions
  readonly #batch: Batch
  readonly #counts: IngestCounts

  constructor(options: FileIntakeOptions, batch: Batch, counts: IngestCounts) {
    this.#options = options
    this.#batch = batch
    this.#counts = counts
  }

  /** @returns whether nothing in the message was at fault. */
  async take(bytes: Uint8Array, place: FilePlace): Promise<boolean> {
    const { source, tenant, now } = this.#options
    const rules = { nowMs: now().getTime(), tenantOnly: null, itemsMax: Infinity }
    const message = { bytes, mediaType: null, door: null, headers: {}, tenant }
    try {
      if (source.prepare !== undefined) await source.prepare(message)
      const { records, ignored, faults } = takeIn(source, message, rules)
      this.#batch.add(records)
      this.#counts.ignored += ignored
      this.#refuse(faults, place)
      return faults.length === 0
    } catch (error) {
      if (!(error instanceof Failure) || error.retriable) throw error
      return this.refuse(error, place)
    }
  }

  /** Counts and tells a message that failed as a whole; returns false. */
  refuse(failure: Failure, place: FilePlace): false {
    const { code, message } = failure
    const where = { index: 0, at: `line ${place.line}` }
    this.#refuse([faultAt(where, { code, message })], place)
    return false
  }

  #refuse(faults: readonly Fault[], { line }: FilePlace): void {
    this.#counts.refused += new Set(faults.map(({ index }) => index)).size
    for (const fault of faults) this.#options.onFault(fault, lineIn(fault) ?? line)
  }
}

/** The line that a fault names itself, where a whole file is one message. */
const lineIn = ({ at }: Fault): number | null => {
  const number = /^line (\d+)$/.exec(at)?.[1]
  return number === undefined ? null : Number(number)
}
