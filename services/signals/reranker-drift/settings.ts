/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month. */
  falseFindingsPerTenantMonth: 0.004,
  /** Queries before a reranker is judged at all. */
  armQueries: 20,
  /** Shift, in standard deviations, that is never worth a finding. */
  shiftTolerance: 0.1,
  /** The same until a day has shown how far hours differ by themselves. */
  earlyShiftTolerance: 0.5,
  /** Share of a list's spread by which the score of the same document may differ. */
  scoreTolerance: 0.05,
  /** Share of the same query's documents that must still be kept. */
  overlapMin: 0.6,
  /** A finding that is this old is the new normal. */
  acceptAfterHours: 24
}

export type Settings = Readonly<typeof SETTINGS>
