import { parseJson } from '../../json-text.ts'

/** A value of an OpenTelemetry attribute; 64-bit integers beyond 2^53 stay decimal strings. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | AttributeValue[]
  | { [key: string]: AttributeValue }

/** Attributes of a span, resource or event; values are decoded when they are asked for. */
export type Attributes = {
  get: (name: string) => AttributeValue | undefined
  names: () => Iterable<string>
}

export const NO_ATTRIBUTES: Attributes = { get: () => undefined, names: () => [] }

/** Integers as exact numbers where a number is exact, else as the decimal text. */
export const exactInteger = (text: string): number | string => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}

/** First value that is text and not empty, by name. */
export const textOf = (attributes: Attributes, names: readonly string[]): string | null => {
  for (const name of names) {
    const value = attributes.get(name)
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number') return String(value)
  }
  return null
}

/** First value that is a number, or text of one. */
export const numberOf = (attributes: Attributes, names: readonly string[]): number | null => {
  for (const name of names) {
    const value = attributes.get(name)
    if (typeof value !== 'number' && typeof value !== 'string') continue
    const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value)
    if (Number.isFinite(number)) return number
  }
  return null
}

/** A value that emitters send either structured or as JSON text; null when it is neither. */
export const structureOf = (value: AttributeValue | undefined): AttributeValue => {
  if (value === undefined) return null
  if (typeof value !== 'string') return value
  try {
    return parseJson(Buffer.from(value)) as AttributeValue
  } catch {
    return null
  }
}

/**
 * A text, or the structure that it is the JSON of; null when that was cut on its way, as limits of
 * SDKs do, so that it can not be told whole.
 */
export const wholeStructure = (value: AttributeValue | undefined): AttributeValue => {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value ?? null
  return structureOf(value)
}

export const isRecord = (
  value: AttributeValue | undefined
): value is { [key: string]: AttributeValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
