/** Reading parsed JSON of unknown shape: what is not there, or of another type, is null. */
export type JsonObject = Readonly<Record<string, unknown>>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Value at a path of own keys. */
export const valueIn = (value: unknown, ...path: string[]): unknown => {
  let found = value
  for (const key of path) {
    if (!isJsonObject(found) || !Object.hasOwn(found, key)) return null
    found = found[key]
  }
  return found ?? null
}

export const textIn = (value: unknown, ...path: string[]): string | null => {
  const found = valueIn(value, ...path)
  return typeof found === 'string' && found !== '' ? found : null
}

export const numberIn = (value: unknown, ...path: string[]): number | null => {
  const found = valueIn(value, ...path)
  return typeof found === 'number' && Number.isFinite(found) ? found : null
}

export const objectIn = (value: unknown, ...path: string[]): JsonObject | null => {
  const found = valueIn(value, ...path)
  return isJsonObject(found) ? found : null
}

/** A date before the year 10000, so that absurd times are refused as times and not thrown. */
const SECONDS_MAX = 253_402_300_799

/** RFC 3339 of seconds since the epoch, to the microsecond. */
export const secondsText = (seconds: number): string => {
  const bounded = Math.min(Math.max(seconds, -SECONDS_MAX), SECONDS_MAX)
  const microseconds = Math.round(bounded * 1e6)
  const ms = Math.floor(microseconds / 1000)
  const rest = String(microseconds - ms * 1000).padStart(3, '0')
  return new Date(ms).toISOString().replace('Z', `${rest}Z`)
}
