import { Failure } from '../../schemas/failure.ts'
import { decodeRefused } from '../../schemas/refused.ts'
import type { Range } from '../lake/commit.ts'
import type { Segment } from '../lake/columns.ts'
import { EventBatch } from './decode/event-batch.ts'
import type { MessageFormat } from './decode/messages.ts'
import { Vocabulary } from './decode/vocabulary.ts'
import type { Run } from './run.ts'

/** A record that could not become an event. */
export type Quarantined = {
  partition: number
  offset: number
  appendedMs: number
  code: string
  reason: string
  bytes: Uint8Array
  byteLength: number
}

/** Bytes of a quarantined record that are kept; the rest is only counted. 64 KiB. */
export const QUARANTINE_BYTES_MAX = 65_536

/** Where a topic's partition was when reading began. */
export type Source = { topic: string; incarnation: string }

type Part = { batch: EventBatch; range: Range; quarantined: Quarantined[] }

/** What has been read since the last flush: events in columns and faults, by partition. */
export class Pending {
  readonly #format: MessageFormat
  readonly #vocabulary = new Vocabulary()
  readonly #parts = new Map<number, Part>()
  /** Batches whose memory waits to be used again. */
  readonly #spare: EventBatch[] = []

  constructor(format: MessageFormat) {
    this.#format = format
  }

  get rows(): number {
    let rows = 0
    for (const { batch, quarantined } of this.#parts.values())
      rows += batch.rows + quarantined.length
    return rows
  }

  /** Decodes a run behind what its partition already holds. @returns what the partition covers then. */
  add(run: Run, source: Source): Range {
    const part = this.#part(run, source)
    const refused = part.batch.add(run, this.#format)
    for (const index of [...refused.keys()].sort((a, b) => a - b)) {
      part.quarantined.push(quarantine(run, index, refused.get(index)!))
    }
    for (const fault of run.faults) {
      part.quarantined.push({
        partition: run.partition,
        offset: fault.first,
        appendedMs: fault.timeMs,
        code: fault.code,
        reason: `offsets ${fault.first} to ${fault.next - 1}: ${fault.reason}`,
        bytes: fault.bytes,
        byteLength: fault.byteLength
      })
    }
    part.range = extend(part.range, run, part.batch.watermarkMs)
    return part.range
  }

  /** Leaves a partition out: another consumer landed these records. */
  drop(partition: number): void {
    this.#parts.delete(partition)
  }

  ranges(): Range[] {
    return this.#ordered().map(({ range }) => range)
  }

  quarantined(): Quarantined[] {
    return this.#ordered().flatMap(({ quarantined }) => quarantined)
  }

  /** All events: names and segments in the order of partitions, so that arrival has no influence. */
  segments(): { names: string[]; segments: Segment[] } {
    const parts = this.#ordered().filter(({ batch }) => batch.rows > 0)
    const given = new Set(parts.flatMap(({ batch }) => batch.used()))
    const words = this.#vocabulary.words()
    for (const { batch } of parts) batch.useWords(words)
    const fields = this.#format.fields
      .filter(({ column, kind }) => given.has(column) && (kind !== 'word' || words.isUsed(column)))
      .map(({ column }) => column)
    const names = ['offset', 'append_time', ...fields]
    const segments = parts.map(({ batch, range }) => ({
      rows: batch.rows,
      columns: [
        constant(batch.rows, range.partition),
        ...batch
          .columns(fields)
          .map((column, index) =>
            column.type === 'ENUM' ? words.column(names[index]!, column) : column
          )
      ]
    }))
    return { names: ['partition', ...names], segments }
  }

  clear(): void {
    this.#vocabulary.clear()
    for (const { batch } of this.#parts.values()) {
      batch.reset()
      this.#spare.push(batch)
    }
    this.#parts.clear()
  }

  #ordered(): Part[] {
    return [...this.#parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part)
  }

  #part(run: Run, { topic, incarnation }: Source): Part {
    const known = this.#parts.get(run.partition)
    if (known !== undefined) {
      if (known.range.next === run.first) return known
      throw new Failure(
        'E_INTERNAL',
        `${topic}/${run.partition} continues at ${run.first}, not at ${known.range.next}`
      )
    }
    const { partition, first } = run
    const range: Range = {
      topic,
      partition,
      incarnation,
      first,
      next: first,
      anchor: null,
      appendedUntilMs: null,
      watermarkMs: null
    }
    const batch = this.#spare.pop() ?? new EventBatch(this.#format.fields, this.#vocabulary)
    const part: Part = { batch, range, quarantined: [] }
    this.#parts.set(partition, part)
    return part
  }
}

const quarantine = (run: Run, index: number, { code, message }: Failure): Quarantined => {
  const start = run.valueStart[index]!
  const end = Math.max(start, run.valueEnd[index]!)
  const value = run.bytes.subarray(start, end)
  // A record that the relay of another topic refused brings its own reason along.
  const refused = decodeRefused(value)
  const bytes = refused?.bytes ?? value
  return {
    partition: run.partition,
    offset: run.offsets[index]!,
    appendedMs: run.timesMs[index]!,
    code: refused?.code ?? code,
    reason: refused?.reason ?? message,
    bytes: new Uint8Array(bytes.subarray(0, QUARANTINE_BYTES_MAX)),
    byteLength: bytes.length
  }
}

const extend = (range: Range, run: Run, watermarkMs: number | null): Range => {
  let appendedUntilMs = range.appendedUntilMs
  for (let index = 0; index < run.count; index++) {
    appendedUntilMs = Math.max(appendedUntilMs ?? -Infinity, run.timesMs[index]!)
  }
  return {
    ...range,
    next: run.next,
    anchor: run.anchor ?? range.anchor,
    appendedUntilMs,
    watermarkMs
  }
}

const constant = (rows: number, value: number): Segment['columns'][number] => ({
  type: 'INTEGER',
  values: new Int32Array(rows).fill(value),
  valid: null
})
