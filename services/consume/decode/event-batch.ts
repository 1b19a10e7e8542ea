import { EVENT_AHEAD_MS_MAX } from '../../../schemas/event.ts'
import type { EventField } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { ColumnData } from '../../lake/columns.ts'
import type { Run } from '../run.ts'
import type { AvroNode } from './avro-type.ts'
import { NumberBuilder, TextBuilder, WideBuilder, WordBuilder, type Builder } from './builders.ts'
import { Chunk, Selection, type Loop } from './chunk.ts'
import { Feed } from './feed.ts'
import type { MessageFormat } from './messages.ts'
import { ListBuilder } from './list-builder.ts'
import { Standing } from './dictionary.ts'
import { compile, type Read } from './program.ts'
import type { Target } from './target.ts'
import type { Vocabulary, Words } from './vocabulary.ts'

const US_PER_MS = 1000
/** Rows that a batch has room for at first; doubles when full. */
const ROWS_START = 4096

/** A field of the batch with what fills it: a path of the writer's schema, or one fixed value. */
export type MappedField = EventField & ({ from: string } | { fixed: string })

/** The events of one partition in a flush, in columns. */
export class EventBatch {
  readonly #targets: (Target & { from: string | null })[]
  readonly #fixed: { builder: WordBuilder; value: Standing }[]
  readonly #programs = new Map<AvroNode, Read[]>()
  readonly #chunk = new Chunk()
  readonly #all = new Selection()
  readonly #offsets = new WideBuilder('BIGINT')
  readonly #appended = new WideBuilder('TIMESTAMP')
  readonly #time: WideBuilder
  readonly #required: { column: string; builder: Builder }[]
  /** Latest event time so far, never beyond its append time; null before the first row. */
  watermarkMs: number | null = null
  #capacity = 0
  #rows = 0

  constructor(fields: readonly MappedField[], vocabulary: Vocabulary) {
    this.#targets = fields.map((field) => ({
      column: field.column,
      kind: field.kind,
      from: 'from' in field ? field.from : null,
      builder: builderOf(field, vocabulary)
    }))
    this.#fixed = fields.flatMap((field, index) => {
      const builder = this.#targets[index]!.builder
      if ('from' in field || !(builder instanceof WordBuilder)) return []
      return [{ builder, value: new Standing(field.fixed) }]
    })
    this.#time = this.#targets.find(({ column }) => column === 'time')!.builder as WideBuilder
    this.#required = fields.flatMap((field, index) =>
      field.required ? [{ column: field.column, builder: this.#targets[index]!.builder }] : []
    )
  }

  /** Forgets every row, for the next flush; the vocabulary must be cleared before. */
  reset(): void {
    for (const { builder } of this.#targets) builder.reset()
    this.#offsets.reset()
    this.#appended.reset()
    this.watermarkMs = null
    this.#rows = 0
  }

  get rows(): number {
    return this.#rows
  }

  /**
   * Reads the records of a run as the next rows.
   * @returns why records were refused, by their index in the run: E_RECORD_UNREADABLE,
   * E_EVENT_INVALID, E_EVENT_TIME, E_SCHEMA_UNKNOWN. All others have become rows.
   */
  add(run: Run, format: MessageFormat): ReadonlyMap<number, Failure> {
    const refused = new Map<number, Failure>()
    const feed = new Feed(run, format, refused)
    this.#chunk.attach(run.bytes)
    for (let node = feed.next(); node !== null; node = feed.next()) {
      this.#reserve(this.#rows + feed.count)
      try {
        const program = this.#programs.get(node) ?? this.#compile(node)
        // What was refused left a hole among the rows: the others are read once more, without it.
        while (!this.#read(feed, program)) feed.drop(this.#chunk.refused)
      } catch (error) {
        // A schema that can not fill the columns is a fault of every record that has it.
        if (!(error instanceof Failure)) throw error
        feed.refuse(error)
      }
      this.#watch(feed.count)
      this.#rows += feed.count
    }
    return refused
  }

  /** Reads a chunk as the rows behind the last one. @returns false when records were refused. */
  #read(feed: Feed, program: readonly Read[]): boolean {
    const chunk = this.#chunk
    const all = this.#all.first(feed.count)
    chunk.begin(this.#rows)
    feed.frame(chunk)
    this.#place(feed)
    for (const read of program) {
      const { size } = chunk.refused
      read(chunk, all)
      if (chunk.refused.size > size) all.drop(chunk.refused)
    }
    if (chunk.refused.size === 0) return true
    this.#truncate(this.#rows + feed.count)
    return false
  }

  /** Writes what does not lie in the records themselves. */
  #place(feed: Feed): void {
    for (let record = 0; record < feed.count; record++) {
      this.#offsets.set(this.#rows + record, feed.offset(record))
      this.#appended.set(this.#rows + record, feed.appendedMs(record) * US_PER_MS)
    }
    for (const { builder, value } of this.#fixed) {
      const code = builder.dictionary.codeOf(value)
      for (let record = 0; record < feed.count; record++) builder.set(this.#rows + record, code)
    }
  }

  /** Whether records end where they should and have what they must. */
  readonly #checkWhole = checkEach('', (chunk, record) => {
    const left = chunk.ends[record]! - chunk.at[record]!
    if (left !== 0) throw new Failure('E_RECORD_UNREADABLE', `${left} bytes too many`)
    for (const { column, builder } of this.#required) {
      if (builder.has(chunk.row + record)) continue
      throw new Failure('E_EVENT_INVALID', `${column} is missing`)
    }
  })

  readonly #checkTime = checkEach('time', (chunk, record) => {
    const timeUs = this.#time.at(chunk.row + record)
    if (timeUs <= this.#appended.at(chunk.row + record) + EVENT_AHEAD_MS_MAX * US_PER_MS) return
    throw new Failure('E_EVENT_TIME', `${timeUs} µs lies over a day after its arrival`)
  })

  /** Event time as the watermark sees it: never beyond the time of append. */
  #watch(count: number): void {
    for (let row = this.#rows; row < this.#rows + count; row++) {
      const us = Math.min(this.#time.at(row), this.#appended.at(row))
      const watermarkMs = Math.floor(us / US_PER_MS)
      if (watermarkMs > (this.watermarkMs ?? -Infinity)) this.watermarkMs = watermarkMs
    }
  }

  /** Names of the fields that hold any value. */
  used(): string[] {
    return this.#targets.filter(({ builder }) => builder.used).map(({ column }) => column)
  }

  /** Notes the words that the batch's rows refer to. */
  useWords(words: Pick<Words, 'use'>): void {
    for (const { column: name, builder } of this.#targets) {
      if (!(builder instanceof WordBuilder) || !builder.used) continue
      words.use(name, builder.column(), this.#rows)
    }
  }

  /** Offset, append time, then the named fields. */
  columns(names: readonly string[]): ColumnData[] {
    const builders = names.map((name) => this.#builder(name))
    return [this.#offsets, this.#appended, ...builders].map((builder) => builder.column(this.#rows))
  }

  #builder(name: string): Builder {
    const target = this.#targets.find(({ column }) => column === name)
    if (target === undefined) throw new Failure('E_INTERNAL', `the batch has no column ${name}`)
    return target.builder
  }

  #compile(node: AvroNode): Read[] {
    const reads = compile(node, (path) => this.#targets.find(({ from }) => from === path))
    const program = [...reads, this.#checkWhole, this.#checkTime]
    this.#programs.set(node, program)
    return program
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return
    this.#capacity = Math.max(ROWS_START, this.#capacity * 2)
    for (const { builder } of this.#targets) builder.reserve(this.#capacity)
    this.#offsets.reserve(this.#capacity)
    this.#appended.reserve(this.#capacity)
  }

  #truncate(end: number): void {
    for (const { builder } of this.#targets) builder.truncate(this.#rows, end)
  }
}

/** A check of every record, by a function of one. */
const checkEach =
  (path: string, check: (chunk: Chunk, record: number) => void): Read =>
  (chunk, selection) => {
    const loop: Loop = (_, { records, count }, from) => {
      for (let index = from; index < count; index++) {
        chunk.index = index
        check(chunk, records[index]!)
      }
    }
    chunk.run(loop, selection, path)
  }

const builderOf = (field: Pick<EventField, 'column' | 'kind'>, vocabulary: Vocabulary): Builder => {
  switch (field.kind) {
    case 'time':
      return new WideBuilder('TIMESTAMP')
    case 'cost':
      return new WideBuilder('BIGINT')
    case 'word':
      return new WordBuilder(vocabulary.of(field))
    case 'id':
    case 'json':
      return new TextBuilder()
    case 'int':
    case 'long':
      return new NumberBuilder('INTEGER')
    case 'double':
      return new NumberBuilder('DOUBLE')
    case 'boolean':
      return new NumberBuilder('BOOLEAN')
    case 'words':
      return new ListBuilder('VARCHAR[]')
    case 'doubles':
      return new ListBuilder('DOUBLE[]')
  }
}
