import { LIST_LENGTH_MAX, TEXT_LENGTH_MAX } from '../../../schemas/event.ts'
import type { FieldKind } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import { NumberBuilder, TextBuilder, WideBuilder, WordBuilder } from './builders.ts'
import type { Loop } from './chunk.ts'
import type { Cursor } from './cursor.ts'
import { Standing } from './dictionary.ts'
import { readJson } from './json.ts'
import { ListBuilder } from './list-builder.ts'
import { finite, numberLoop, wideLoop } from './number-loops.ts'
import { eachItem, pick, skipper } from './skip.ts'
import { mismatch, type Target } from './target.ts'
import { checkLabel, checkText } from './text.ts'
import { memoryOf } from './words.ts'

/**
 * What reads values of one type into one column. Every loop is written out: a function that a
 * common loop were given would be called anew for each value.
 */

/** Steps over values. */
export const skipLoop = (node: AvroNode): Loop => {
  switch (node.kind) {
    case 'boolean':
      return skipFixed(1)
    case 'float':
      return skipFixed(4)
    case 'double':
      return skipFixed(8)
    case 'fixed':
      return skipFixed(node.size)
    default:
      return skipNested(node)
  }
}

const skipFixed =
  (size: number): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      chunk.skip(records[index]!, size)
    }
  }

const skipNested = (node: AvroNode): Loop => {
  const skip = skipper(node)
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      skip(chunk.enter(record))
      chunk.leave(record)
    }
  }
}

/** Reads values into a column. @throws Failure E_SCHEMA_UNKNOWN when they can not fill it. */
export const fillLoop = (node: AvroNode, target: Target): Loop => {
  const { builder } = target
  if (builder instanceof WordBuilder) return wordLoop(node, builder)
  if (builder instanceof TextBuilder) return textLoop(node, target.kind, builder)
  if (builder instanceof ListBuilder) return listLoop(node, target.kind, builder)
  if (builder instanceof WideBuilder) return wideLoop(node, target, builder)
  if (builder instanceof NumberBuilder) return numberLoop(node, target, builder)
  throw new Failure('E_INTERNAL', `no reader for column ${target.column}`)
}

const wordLoop = (node: AvroNode, builder: WordBuilder): Loop => {
  if (node.kind === 'enum') return symbolLoop(node.symbols, builder)
  if (node.kind === 'fixed' || node.kind === 'bytes') return hexWordLoop(sizeOf(node), builder)
  if (node.kind !== 'string') return mismatch(node, 'words')
  const { dictionary } = builder
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const start = chunk.skip(record, chunk.readLength(record))
      builder.set(chunk.row + record, dictionary.code(chunk, start, chunk.at[record]!))
    }
  }
}

const symbolLoop = (symbols: readonly string[], builder: WordBuilder): Loop => {
  const values = symbols.map((symbol) => new Standing(symbol))
  const { dictionary } = builder
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const value = pick(values, chunk.readLong(record))
      builder.set(chunk.row + record, dictionary.codeOf(value))
    }
  }
}

/** Bytes of a fixed type; null where a length stands in front of them. */
const sizeOf = (node: AvroNode): number | null => (node.kind === 'fixed' ? node.size : null)

const hexWordLoop =
  (size: number | null, builder: WordBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const start = chunk.skip(record, size ?? chunk.readLength(record))
      const bytes = Buffer.from(chunk.bytes.subarray(start, chunk.at[record]))
      const hex = memoryOf(Buffer.from(bytes.toString('hex')))
      builder.set(chunk.row + record, builder.dictionary.code(hex, 0, hex.bytes.length))
    }
  }

const textLoop = (node: AvroNode, kind: FieldKind, builder: TextBuilder): Loop => {
  if (node.kind === 'fixed' || node.kind === 'bytes') return hexTextLoop(sizeOf(node), builder)
  if (node.kind !== 'string')
    return kind === 'json' ? jsonLoop(node, builder) : mismatch(node, 'text')
  const check = kind === 'json' ? checkText : checkLabel
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const start = chunk.skip(record, chunk.readLength(record))
      const end = chunk.at[record]!
      const isPlain = builder.setFrom(chunk.row + record, chunk, start, end)
      if (!isPlain || end - start > TEXT_LENGTH_MAX) check(chunk.bytes, start, end)
    }
  }
}

const hexTextLoop =
  (size: number | null, builder: TextBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const start = chunk.skip(record, size ?? chunk.readLength(record))
      builder.setHex(chunk.row + record, chunk.bytes, start, chunk.at[record]!)
    }
  }

/** Values of any type as JSON text. */
const jsonLoop =
  (node: AvroNode, builder: TextBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const json = Buffer.from(JSON.stringify(readJson(node, chunk.enter(record))))
      chunk.leave(record)
      checkText(json, 0, json.length)
      builder.set(chunk.row + record, json, 0, json.length)
    }
  }

const listLoop = (node: AvroNode, kind: FieldKind, builder: ListBuilder): Loop => {
  if (node.kind !== 'array') return mismatch(node, kind)
  const add = itemReader(node.items, kind, builder)
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const row = chunk.row + record
      const cursor = chunk.enter(record)
      builder.begin(row)
      let items = 0
      eachItem(cursor, () => {
        if (++items > LIST_LENGTH_MAX) tooLong()
        add(cursor, row)
      })
      chunk.leave(record)
    }
  }
}

const tooLong = (): never => {
  throw new Failure('E_RECORD_UNREADABLE', `a list of more than ${LIST_LENGTH_MAX} items`)
}

type ReadItem = (cursor: Cursor, row: number) => void

const itemReader = (node: AvroNode, kind: FieldKind, builder: ListBuilder): ReadItem => {
  if (kind === 'doubles' && node.kind === 'double') {
    return (cursor, row) => builder.addNumber(row, finite(cursor.readDouble()))
  }
  if (kind === 'words' && node.kind === 'string') {
    return (cursor, row) => {
      const length = cursor.readLength()
      const start = cursor.at
      checkLabel(cursor.bytes, start, start + length)
      cursor.at = start + length
      builder.addText(row, cursor.bytes, start, start + length)
    }
  }
  return mismatch(node, kind)
}
