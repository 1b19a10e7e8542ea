export type CubeLimits = {
  /** Windows that one statement reads: with eighty columns each, 200 MB while it runs. */
  rowsAtOnceMax: number
  /** So many new windows are read before an answer, which then waits a tenth of a second for them. */
  rowsFirstMax: number
  /** More unread windows than that an answer does not read from their files: it would take seconds. */
  rowsDirectMax: number
}

export const CUBE_LIMITS: CubeLimits = {
  rowsAtOnceMax: 100_000,
  rowsFirstMax: 20_000,
  rowsDirectMax: 2_000_000
}
