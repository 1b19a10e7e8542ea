/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /**
   * Findings by chance that a tenant may see in a month, all of which is paid out; noise that no
   * baseline knows adds several times as many.
   */
  falseFindingsPerTenantMonth: 0.002,
  /** Judged objects and non-empty minutes before a series is watched. */
  armTrials: 50,
  armWindows: 5,
  /** A rise in the share of first attempts that fail below this is not worth a finding. */
  effectMin: 0.01,
  /** Relative rise of that share which is never worth one, and while a series is young. */
  tolerance: 0.15,
  earlyTolerance: 0.5,
  fullAfterDays: 7,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Extra cost per hour, in USD, below which a finding is for information only. */
  costFloorUsdPerHour: 0.01
}

export type Settings = Readonly<typeof SETTINGS>
