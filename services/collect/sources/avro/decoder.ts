import avro from 'avsc'
import { Failure } from '../../../../schemas/failure.ts'
import { checkCounts, hasCounts } from './bounds.ts'
import type { RegisteredSchema } from './registry.ts'

const MS_PER_SECOND = 1000
/** Years 0 to 9999, so that absurd times are refused as times and not thrown. */
const DATE_MS_MAX = 253_402_300_799_999

const timeText = (ms: number, microseconds: number): string => {
  const bounded = Math.min(Math.max(ms, -DATE_MS_MAX), DATE_MS_MAX)
  const rest = microseconds === 0 ? '' : String(microseconds).padStart(3, '0')
  return new Date(bounded).toISOString().replace('Z', `${rest}Z`)
}

/** Logical types are read only: what they are written as is of no interest here. */
class TimestampMillis extends avro.types.LogicalType {
  override _fromValue(value: number): string {
    return timeText(value, 0)
  }
}

class TimestampMicros extends avro.types.LogicalType {
  override _fromValue(value: number): string {
    const ms = Math.floor(value / MS_PER_SECOND)
    return timeText(ms, value - ms * MS_PER_SECOND)
  }
}

/** A decimal in bytes becomes a decimal string, exact to its last digit. */
class Decimal extends avro.types.LogicalType {
  #scale = 0

  constructor(schema: avro.Schema, options?: unknown) {
    super(schema, options as ConstructorParameters<typeof avro.types.LogicalType>[1])
    const { scale } = schema as unknown as { scale?: number }
    this.#scale = scale ?? 0
  }

  override _fromValue(value: Buffer): string {
    const unscaled =
      value.length === 0
        ? 0n
        : BigInt.asIntN(value.length * 8, BigInt(`0x${value.toString('hex')}`))
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(this.#scale + 1, '0')
    const whole = digits.slice(0, digits.length - this.#scale)
    const part = this.#scale === 0 ? '' : `.${digits.slice(-this.#scale)}`
    return `${unscaled < 0n ? '-' : ''}${whole}${part}`
  }
}

const LOGICAL_TYPES = {
  'timestamp-millis': TimestampMillis,
  'timestamp-micros': TimestampMicros,
  'local-timestamp-millis': TimestampMillis,
  'local-timestamp-micros': TimestampMicros,
  decimal: Decimal
}

/** Reads the bodies of one schema as plain values: unions unwrapped, times as RFC 3339. */
export type Decoder = (body: Uint8Array) => unknown

/** @throws Failure E_SCHEMA_UNKNOWN when the schema is not one of Avro. */
export const createDecoder = ({ schema, references }: RegisteredSchema): Decoder => {
  const options = {
    registry: {},
    logicalTypes: LOGICAL_TYPES,
    wrapUnions: 'auto'
  } as unknown as Parameters<typeof avro.Type.forSchema>[1]
  let type: avro.Type
  try {
    for (const reference of references) avro.Type.forSchema(reference as avro.Schema, options)
    type = avro.Type.forSchema(schema as avro.Schema, options)
  } catch (cause) {
    throw new Failure('E_SCHEMA_UNKNOWN', `the schema can not be used: ${(cause as Error).message}`)
  }
  const isCounted = hasCounts(type)
  return (body) => {
    try {
      if (isCounted) checkCounts(type, body)
      return unwrapped(
        type.fromBuffer(Buffer.from(body.buffer, body.byteOffset, body.byteLength)) as unknown
      )
    } catch (cause) {
      throw new Failure('E_BODY_UNREADABLE', `not of its schema: ${(cause as Error).message}`)
    }
  }
}

type Branch = { unwrap: () => unknown }

/** Unions of types that look alike come wrapped in the name of their branch. */
const unwrapped = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) return value.map(unwrapped)
  if (isBranch(value)) return unwrapped(value.unwrap())
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unwrapped(one)]))
}

const isBranch = (value: object): value is Branch =>
  !Object.hasOwn(value, 'unwrap') && typeof (value as Partial<Branch>).unwrap === 'function'
