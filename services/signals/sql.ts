/** Pieces of the SQL that findings carry, so that their evidence can be reproduced. */

export const sqlText = (value: string): string => `'${value.replaceAll("'", "''")}'`

export const sqlTime = (ms: number): string => `TIMESTAMPTZ '${new Date(ms).toISOString()}'`

/** `column = 'value'`, or `column IS NULL`. */
export const sqlEquals = (column: string, value: string | null): string =>
  value === null ? `${column} IS NULL` : `${column} = ${sqlText(value)}`
