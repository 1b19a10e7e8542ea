import { COUNT_MAX, EVENT_TIME_MS_MIN } from '../../../schemas/event.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { AvroNode } from './avro-type.ts'
import type { NumberBuilder, WideBuilder } from './builders.ts'
import type { Loop } from './chunk.ts'
import { mismatch, type Target } from './target.ts'

const US_PER_MS = 1000

/** Integers of 64 bits, and times. */
export const wideLoop = (node: AvroNode, target: Target, builder: WideBuilder): Loop => {
  if (target.kind === 'time') return timeLoop(node, builder)
  if (node.kind !== 'long' && node.kind !== 'int') return mismatch(node, 'integers')
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      builder.set(chunk.row + record, chunk.readLong(record))
    }
  }
}

const timeLoop = (node: AvroNode, builder: WideBuilder): Loop => {
  const scale = node.kind === 'time' && node.unit === 'us' ? 1 : US_PER_MS
  if (node.kind !== 'time' && node.kind !== 'long') return mismatch(node, 'times')
  return (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const us = chunk.readLong(record) * scale
      if (us < EVENT_TIME_MS_MIN * US_PER_MS) outOfTime(us)
      builder.set(chunk.row + record, us)
    }
  }
}

const outOfTime = (us: number): never => {
  throw new Failure('E_EVENT_TIME', `${us} µs since 1970 lies before 2020: a clock or unit error`)
}

/** Counts, reals and booleans. */
export const numberLoop = (node: AvroNode, target: Target, builder: NumberBuilder): Loop => {
  switch (node.kind) {
    case 'boolean':
      return target.kind === 'boolean' ? booleanLoop(builder) : mismatch(node, target.kind)
    case 'double':
    case 'float':
      if (target.kind !== 'double') return mismatch(node, target.kind)
      return node.kind === 'double' ? doubleLoop(builder) : floatLoop(builder)
    case 'int':
    case 'long':
      if (target.kind === 'boolean') return mismatch(node, target.kind)
      return target.kind === 'double'
        ? integerLoop(-Infinity, Infinity, builder)
        : integerLoop(0, COUNT_MAX, builder)
    default:
      return mismatch(node, target.kind)
  }
}

const integerLoop =
  (min: number, max: number, builder: NumberBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const value = chunk.readLong(record)
      if (value < min || value > max) outOfRange(value, min, max)
      builder.set(chunk.row + record, value)
    }
  }

const outOfRange = (value: number, min: number, max: number): never => {
  throw new Failure('E_EVENT_INVALID', `${value} lies outside ${min} to ${max}`)
}

const doubleLoop =
  (builder: NumberBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      builder.set(chunk.row + record, finite(chunk.view.getFloat64(chunk.skip(record, 8), true)))
    }
  }

const floatLoop =
  (builder: NumberBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      builder.set(chunk.row + record, finite(chunk.view.getFloat32(chunk.skip(record, 4), true)))
    }
  }

const booleanLoop =
  (builder: NumberBuilder): Loop =>
  (chunk, { records, count }, from) => {
    for (let index = from; index < count; index++) {
      chunk.index = index
      const record = records[index]!
      const byte = chunk.bytes[chunk.skip(record, 1)]!
      if (byte > 1) throw new Failure('E_RECORD_UNREADABLE', `a boolean is the byte ${byte}`)
      builder.set(chunk.row + record, byte)
    }
  }

export const finite = (value: number): number => {
  if (Number.isFinite(value)) return value
  throw new Failure('E_EVENT_INVALID', `${value} is no number`)
}
