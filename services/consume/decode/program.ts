import { COUNT_MAX, EVENT_TIME_MS_MIN, LIST_LENGTH_MAX } from '../../../schemas/event.ts'
import type { FieldKind } from '../../../schemas/event-fields.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import { NumberBuilder, TextBuilder, WideBuilder, WordBuilder, type Builder } from './builders.ts'
import { ListBuilder } from './list-builder.ts'
import { Cursor } from './cursor.ts'
import { standing } from './dictionary.ts'
import { eachItem, pick, skipper } from './skip.ts'
import { checkLabel, checkText, isPlainLabel } from './text.ts'
import { readJson } from './json.ts'

/** Reads one value under the cursor into row `row`. */
type Read = (cursor: Cursor, row: number) => void

/** One field of the writer's schema: where it stands, and how it is read. */
export type Step = { path: string; read: Read }

/** A column that a program may fill. */
export type Target = { column: string; kind: FieldKind; builder: Builder }

/**
 * The steps that read records of a schema. `targetOf` says which column a path of the writer's
 * schema fills; what fills none is stepped over.
 */
export const compile = (
  node: AvroNode,
  targetOf: (path: string) => Target | undefined,
  path = ''
): Step[] => {
  if (node.kind !== 'record') {
    throw new Failure('E_SCHEMA_UNKNOWN', `events are Avro records, not ${node.kind}`)
  }
  return node.fields.flatMap((field) => {
    const at = path === '' ? field.name : `${path}.${field.name}`
    const target = targetOf(at)
    if (target !== undefined) return [{ path: at, read: reader(field.node, target) }]
    if (field.node.kind === 'record') return compile(field.node, targetOf, at)
    return [{ path: at, read: skipper(field.node) }]
  })
}

const reader = (node: AvroNode, target: Target): Read => {
  if (node.kind === 'null') return () => {}
  if (node.kind === 'union') {
    const branches = node.branches.map((branch) => reader(branch, target))
    return (cursor, row) => pick(branches, cursor.readLong())(cursor, row)
  }
  const { builder } = target
  if (builder instanceof WordBuilder) return wordReader(node, builder)
  if (builder instanceof TextBuilder) return textReader(node, target.kind, builder)
  if (builder instanceof ListBuilder) return listReader(node, target.kind, builder)
  if (builder instanceof WideBuilder) return wideReader(node, target, builder)
  if (builder instanceof NumberBuilder) return numberReader(node, target, builder)
  throw new Failure('E_INTERNAL', `no reader for column ${target.column}`)
}

const mismatch = (node: AvroNode, wanted: string): never => {
  throw new Failure('E_SCHEMA_UNKNOWN', `Avro ${node.kind} can not fill a column of ${wanted}`)
}

const wordReader = (node: AvroNode, builder: WordBuilder): Read => {
  const { dictionary } = builder
  if (node.kind === 'enum') {
    const symbols = node.symbols.map(standing)
    return (cursor, row) => {
      builder.set(row, dictionary.codeOf(pick(symbols, cursor.readLong())))
    }
  }
  if (node.kind === 'fixed' || node.kind === 'bytes') return hexWord(node, builder)
  if (node.kind !== 'string') return mismatch(node, 'words')
  return (cursor, row) => {
    const length = cursor.readLength()
    const start = cursor.at
    const code = dictionary.code(cursor, start, start + length)
    cursor.at = start + length
    builder.set(row, code)
  }
}

const bytesLength = (node: AvroNode, cursor: Cursor): number =>
  node.kind === 'fixed' ? node.size : cursor.readLength()

const hexWord = (node: AvroNode, builder: WordBuilder): Read => {
  const own = new Cursor()
  return (cursor, row) => {
    const length = bytesLength(node, cursor)
    const start = cursor.at
    cursor.skip(length)
    const hex = Buffer.from(cursor.bytes.subarray(start, start + length)).toString('hex')
    own.attach(Buffer.from(hex))
    builder.set(row, builder.dictionary.code(own, 0, hex.length))
  }
}

const textReader = (node: AvroNode, kind: FieldKind, builder: TextBuilder): Read => {
  const check = kind === 'json' ? checkText : checkLabel
  if (node.kind === 'string') {
    return (cursor, row) => {
      const length = cursor.readLength()
      const start = cursor.at
      const end = start + length
      if (!isPlainLabel(cursor.view, start, end)) check(cursor.bytes, start, end)
      cursor.at = end
      builder.setFrom(row, cursor, start, end)
    }
  }
  if (node.kind === 'fixed' || node.kind === 'bytes') return hexText(node, builder)
  if (kind !== 'json') return mismatch(node, 'text')
  return (cursor, row) => {
    const json = Buffer.from(JSON.stringify(readJson(node, cursor)))
    checkText(json, 0, json.length)
    builder.set(row, json, 0, json.length)
  }
}

const hexText = (node: AvroNode, builder: TextBuilder): Read => {
  return (cursor, row) => {
    const length = bytesLength(node, cursor)
    const start = cursor.at
    cursor.skip(length)
    builder.setHex(row, cursor.bytes, start, start + length)
  }
}

const listReader = (node: AvroNode, kind: FieldKind, builder: ListBuilder): Read => {
  if (node.kind !== 'array') return mismatch(node, kind)
  const add = itemReader(node.items, kind, builder)
  return (cursor, row) => {
    builder.begin(row)
    let count = 0
    eachItem(cursor, () => {
      if (++count > LIST_LENGTH_MAX) {
        throw new Failure('E_RECORD_UNREADABLE', `a list of more than ${LIST_LENGTH_MAX} items`)
      }
      add(cursor, row)
    })
  }
}

const itemReader = (node: AvroNode, kind: FieldKind, builder: ListBuilder): Read => {
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

const US_PER_MS = 1000

const wideReader = (node: AvroNode, target: Target, builder: WideBuilder): Read => {
  if (target.kind === 'time') {
    const scale = node.kind === 'time' && node.unit === 'us' ? 1 : US_PER_MS
    if (node.kind !== 'time' && node.kind !== 'long') return mismatch(node, 'times')
    return (cursor, row) => {
      const us = cursor.readLong() * scale
      if (us < EVENT_TIME_MS_MIN * US_PER_MS) outOfTime(us)
      builder.set(row, us)
    }
  }
  if (node.kind !== 'long' && node.kind !== 'int') return mismatch(node, 'integers')
  return (cursor, row) => builder.set(row, cursor.readLong())
}

const outOfTime = (us: number): never => {
  throw new Failure('E_EVENT_TIME', `${us} µs since 1970 lies before 2020: a clock or unit error`)
}

const numberReader = (node: AvroNode, target: Target, builder: NumberBuilder): Read => {
  switch (node.kind) {
    case 'boolean':
      if (target.kind !== 'boolean') return mismatch(node, target.kind)
      return (cursor, row) => builder.set(row, Number(cursor.readBoolean()))
    case 'double':
    case 'float':
      if (target.kind !== 'double') return mismatch(node, target.kind)
      return node.kind === 'double'
        ? (cursor, row) => builder.set(row, finite(cursor.readDouble()))
        : (cursor, row) => builder.set(row, finite(cursor.readFloat()))
    case 'int':
    case 'long':
      if (target.kind === 'boolean') return mismatch(node, target.kind)
      if (target.kind === 'double') return (cursor, row) => builder.set(row, cursor.readLong())
      return (cursor, row) => builder.set(row, counted(cursor.readLong()))
    default:
      return mismatch(node, target.kind)
  }
}

const counted = (value: number): number => {
  if (value >= 0 && value <= COUNT_MAX) return value
  throw new Failure('E_EVENT_INVALID', `${value} lies outside 0 to ${COUNT_MAX}`)
}

const finite = (value: number): number => {
  if (Number.isFinite(value)) return value
  throw new Failure('E_EVENT_INVALID', `${value} is no number`)
}
