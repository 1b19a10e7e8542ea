import { EVENT_AHEAD_MS_MAX } from '../../../schemas/event.ts'
import type { EventField } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { ColumnData } from '../../lake/columns.ts'
import type { AvroNode } from './avro-type.ts'
import { NumberBuilder, TextBuilder, WideBuilder, WordBuilder, type Builder } from './builders.ts'
import { ListBuilder } from './list-builder.ts'
import { Cursor } from './cursor.ts'
import { standing, type Standing } from './dictionary.ts'
import { compile, type Step, type Target } from './program.ts'
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
  readonly #programs = new Map<AvroNode, Step[]>()
  readonly #cursor = new Cursor()
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
      return [{ builder, value: standing(field.fixed) }]
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

  /** Looks at the memory that the next records lie in. */
  attach(bytes: Uint8Array): void {
    this.#cursor.attach(bytes)
  }

  /**
   * Reads the record in `[start, end)` of the attached memory as the next row.
   * @throws Failure E_RECORD_UNREADABLE, E_EVENT_INVALID or E_EVENT_TIME; the batch is unchanged.
   */
  add(node: AvroNode, start: number, end: number): number {
    if (this.#rows === this.#capacity) this.#grow()
    const row = this.#rows
    const steps = this.#programs.get(node) ?? this.#compile(node)
    const cursor = this.#cursor
    cursor.frame(start, end)
    let index = 0
    try {
      for (; index < steps.length; index++) steps[index]!.read(cursor, row)
      if (cursor.at !== end)
        throw new Failure('E_RECORD_UNREADABLE', `${end - cursor.at} bytes too many`)
      for (const { builder, value } of this.#fixed)
        builder.set(row, builder.dictionary.codeOf(value))
      this.#checkRequired(row)
    } catch (error) {
      this.#undo(row)
      throw located(error, steps[index]?.path)
    }
    return this.#rows++
  }

  /** Says where the row just added lay in the log; takes it back when its time is impossible. */
  place(row: number, offset: number, appendedMs: number): void {
    const timeUs = this.#time.at(row)
    if (timeUs > (appendedMs + EVENT_AHEAD_MS_MAX) * US_PER_MS) {
      this.#undo(row)
      this.#rows = row
      throw new Failure('E_EVENT_TIME', `time: ${timeUs} µs lies over a day after its arrival`)
    }
    const watermarkMs = Math.min(Math.floor(timeUs / US_PER_MS), appendedMs)
    if (watermarkMs > (this.watermarkMs ?? -Infinity)) this.watermarkMs = watermarkMs
    this.#offsets.set(row, offset)
    this.#appended.set(row, appendedMs * US_PER_MS)
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

  #compile(node: AvroNode): Step[] {
    const steps = compile(node, (path) => this.#targets.find(({ from }) => from === path))
    this.#programs.set(node, steps)
    return steps
  }

  #grow(): void {
    this.#capacity = Math.max(ROWS_START, this.#capacity * 2)
    for (const { builder } of this.#targets) builder.reserve(this.#capacity)
    this.#offsets.reserve(this.#capacity)
    this.#appended.reserve(this.#capacity)
  }

  #undo(row: number): void {
    for (const { builder } of this.#targets) builder.clear(row)
  }

  #checkRequired(row: number): void {
    for (const { column, builder } of this.#required) {
      if (!builder.has(row)) throw new Failure('E_EVENT_INVALID', `${column} is missing`)
    }
  }
}

const located = (error: unknown, path: string | undefined): unknown =>
  error instanceof Failure && path !== undefined
    ? new Failure(error.code, `${path}: ${error.message}`, { cause: error })
    : error

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
