/** Where a line has a value between two gaps: nothing but a point shows it. */
export const aloneIn = (values: readonly (number | null)[]): number[] =>
  values.flatMap((value, at) =>
    value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null
      ? [at]
      : []
  )
