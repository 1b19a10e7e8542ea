/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /**
   * Findings by chance that a tenant may see in a month, all of which is paid out; noise that no
   * baseline knows adds several times as many.
   */
  falseFindingsPerTenantMonth: 0.002,
  /** The same of loops. */
  falseLoopsPerTenantMonth: 0.004,
  /** Calls and non-empty minutes before a series is watched. */
  armTrials: 50,
  armWindows: 5,
  /** A rise in the share of retries below this is not worth a finding. */
  effectMin: 0.02,
  /** Relative rise of that share which is never worth one, and while a series is young. */
  tolerance: 0.15,
  earlyTolerance: 0.5,
  fullAfterDays: 7,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Share of calls that retries may be: the budget of the usual clients. Above it is critical. */
  retryBudget: 0.2,
  /** Extra cost per hour, in USD, below which retries within their budget are not told. */
  costFloorUsdPerHour: 0.01,
  /** Attempts of one operation, or calls of one shape, below which nothing is a loop. */
  loopAttemptsMin: 5,
  /** USD that one loop may waste before it is told, however usual it is. */
  loopUsdMax: 1,
  /** Minutes without a further attempt after which a loop is over. */
  quietMinutes: 30
}

export type Settings = Readonly<typeof SETTINGS>
