/** Text as SQL; SQL text ends at a NUL, so that character is put together apart. */
export const sqlText = (text: string): string => {
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`)
  return parts.length === 1 ? (parts[0] ?? "''") : `(${parts.join(' || chr(0) || ')})`
}

/** A point in time, milliseconds since the epoch, as SQL that people can read. */
export const sqlTime = (ms: number): string =>
  `TIMESTAMPTZ '${new Date(ms).toISOString().replace('.000Z', 'Z')}'`

/** All of some conditions, as one. */
export const allOf = (...conditions: readonly string[]): string =>
  conditions.length === 0 ? 'true' : conditions.join(' AND ')
