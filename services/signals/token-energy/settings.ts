import { alarmNats } from '../statistics/false-alarm-budget.ts'
import type { RateSettings } from '../statistics/rate-detector.ts'

/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month; drift of baselines adds as many again. */
  falseFindingsPerTenantMonth: 0.004,
  /** Evidence while a series has less than a week behind it: dependence-free, so less is needed. */
  earlyAlarmNats: 12,
  armWindows: 20,
  fullAfterDays: 7,
  /** Falls of the efficiency score (0.5 = as usual) that are never worth a finding. */
  slowTolerance: 0.03,
  fastTolerance: 0.05,
  /**
   * The same in the first week, when the hours of the day are not known and a daily wave of batches
   * may pass for change: 0.2 is × 1.24 of the energy.
   */
  youngTolerance: 0.2,
  /** A measured fall below this is not worth a finding: 0.1 is 11 % more energy. */
  effectMin: 0.1,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Extra energy that nobody wants to hear of: one watt. */
  extraJoulesPerHourMin: 3600
}

export type Settings = Readonly<typeof SETTINGS>

/** Settings for a watch in its first week, and later. */
export type WatchSettings = { young: RateSettings; grown: RateSettings; fullAfterDays: number }

export const watchSettings = (settings: Settings): WatchSettings => {
  const { youngTolerance, fullAfterDays, falseFindingsPerTenantMonth } = settings
  const grown = { ...settings, alarmNats: alarmNats(falseFindingsPerTenantMonth, 1) }
  const young = { ...grown, fastTolerance: youngTolerance, effectMin: youngTolerance }
  return { young, grown, fullAfterDays }
}

/** Settings for a watch that has learned so many days. */
export const settingsAt = (
  { young, grown, fullAfterDays }: WatchSettings,
  daysLearned: number
): RateSettings => (daysLearned < fullAfterDays ? young : grown)
