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
  /** A measured fall below this is not worth a finding: 0.1 is 11 % more energy. */
  effectMin: 0.1,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Extra energy that nobody wants to hear of: one watt. */
  extraJoulesPerHourMin: 3600
}

export type Settings = Readonly<typeof SETTINGS>

export const rateSettings = (settings: Settings): RateSettings => ({
  ...settings,
  alarmNats: alarmNats(settings.falseFindingsPerTenantMonth, 1)
})
