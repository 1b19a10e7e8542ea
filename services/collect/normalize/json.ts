/** Reading of values that come from outside: nothing is trusted to have a type. */
export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const objectAt = (value: unknown, key: string): Json | null => {
  if (!isObject(value)) return null
  const inner = value[key]
  return isObject(inner) ? inner : null
}

/** Longest identity or label that a column takes; longer text is content. */
const TEXT_LENGTH_MAX = 1024

export const textAt = (value: unknown, key: string): string | null => {
  if (!isObject(value)) return null
  const inner = value[key]
  return typeof inner === 'string' && inner !== '' && inner.length <= TEXT_LENGTH_MAX ? inner : null
}

export const firstOf = (value: unknown, key: string): unknown => {
  if (!isObject(value)) return undefined
  const list = value[key]
  return Array.isArray(list) ? (list as unknown[])[0] : undefined
}

export const listAt = (value: unknown, key: string): readonly unknown[] => {
  if (!isObject(value)) return []
  const list = value[key]
  return Array.isArray(list) ? (list as unknown[]) : []
}

/** Parses JSON; `undefined` where the text is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
