import { alarmNats } from '../statistics/false-alarm-budget.ts'
import type { RateSettings } from '../statistics/rate-detector.ts'

/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month; what drifts is given way to beside it. */
  falseFindingsPerTenantMonth: 0.008,
  /** Evidence while a series has less than a week behind it: dependence-free, so less is needed. */
  earlyAlarmNats: 12,
  armWindows: 20,
  fullAfterDays: 7,
  /** Drops in rate that are never worth a finding, over hours and over minutes. */
  slowTolerance: 0.03,
  fastTolerance: 0.05,
  /** A measured fall below this many points is not worth a finding, however sure it is. */
  effectMin: 0.04,
  /** Evidence that the rate is back: wrong once in 400 incidents. */
  recoveryNats: 6,
  acceptAfterDays: 7
}

export type Settings = Readonly<typeof SETTINGS>

export const tenantSettings = (settings: Settings, seriesOfTenant: number): RateSettings => ({
  ...settings,
  alarmNats: alarmNats(settings.falseFindingsPerTenantMonth, seriesOfTenant),
  earlyAlarmNats: settings.earlyAlarmNats + Math.log(Math.max(1, seriesOfTenant))
})
